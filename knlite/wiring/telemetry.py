"""Who is told of a run by OTLP, as long as the environment or config-observability says so."""

import uuid
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, ExitStack
from importlib.util import find_spec
from typing import Literal, Protocol, TypeVar

from knlite import __version__
from knlite.eventlog.extras import installing
from knlite.facts import EgressChanged, Fact, Notice
from knlite.kinds.config.observability import (
    GRPC,
    STDOUT,
    MetricsConfig,
    ObservabilityConfig,
    TracingConfig,
)
from knlite.settings import Settings
from knlite.telemetry.bus import Bus
from knlite.telemetry.metrics import READ as COUNTED
from knlite.telemetry.metrics import Metrics
from knlite.telemetry.otlp import choice, names
from knlite.telemetry.otlp.choice import Target
from knlite.telemetry.otlp.pushes import Pushes
from knlite.telemetry.otlp.spans import READ, Egresses, Spans
from knlite.wiring.basics import Basics

_LIBRARIES = {GRPC: "opentelemetry.exporter.otlp.proto.grpc"}
_HTTP = "opentelemetry.exporter.otlp.proto.http"
Level = Literal["info", "warning"]
Wanted = TypeVar("Wanted", choice.Traces, choice.Pushed)


def send_telemetry(
    basics: Basics, bus: Bus, metrics: Metrics, settings: Settings, held: AsyncExitStack
) -> None:
    """Do so until *held* ends, which sends what is left."""
    out = _Out(basics, bus, metrics, settings.environ)
    held.push_async_callback(out.aclose)
    held.enter_context(bus.reading(out.egresses.read, EgressChanged))
    out.configure()
    held.enter_context(basics.registry.listening(out.configure))


class _Sending(Protocol):
    """One kind of telemetry on its way to one collector."""

    def read(self, fact: Fact) -> None: ...
    def close(self) -> None: ...
    async def aclose(self) -> None: ...


class _Out:
    """What is sent now."""

    def __init__(
        self, basics: Basics, bus: Bus, metrics: Metrics, environ: Mapping[str, str]
    ) -> None:
        self._basics = basics
        self._bus = bus
        self._metrics = metrics
        self._environ = environ
        self._instance = str(uuid.uuid4())
        self.egresses = Egresses()
        self._config: ObservabilityConfig | None = None
        self._complained = set[str]()
        self._running: dict[str, tuple[object, _Sending | None, ExitStack]] = {}
        """By kind: what it is made from, and what reads for it until its stack is closed."""

    def configure(self, _: object = None) -> None:
        """Go on as the ConfigMap says now."""
        config = self._basics.registry.config.observability
        if config == self._config:
            return
        self._config = config
        self._traces(config.tracing)
        self._pushed("metrics", config.metrics, names.of_platform)
        self._pushed("metrics of requests", config.request_metrics, names.of_requests)

    async def aclose(self) -> None:
        """Send what is left."""
        for _, sending, reading in self._running.values():
            reading.close()
            if sending is not None:
                await sending.aclose()

    def _traces(self, config: TracingConfig) -> None:
        if config.protocol == STDOUT:
            self._complain("tracing-protocol: stdout has no effect here")
        wanted = self._chosen("traces", lambda: choice.traces(self._environ, config))
        if not self._is_new("traces", wanted):
            return
        self._basics.tracing.sampler = None if wanted is None else wanted.sampler
        if wanted is None:
            return
        if not wanted.sampler.rate and not wanted.sampler.follows:
            text = "no trace is sent: tracing-sampling-rate is 0, which is what it is unless told"
            self._complain(text)
        spans = Spans(
            wanted.target, self._basics.clock, self._say, self.egresses,
            version=__version__, instance=self._instance,
        )  # fmt: skip
        self._run("traces", wanted, spans, *READ)

    def _pushed(self, what: str, config: MetricsConfig, told: Callable[[str], bool]) -> None:
        wanted = self._chosen(what, lambda: choice.metrics(self._environ, config))
        if not self._is_new(what, wanted) or wanted is None:
            return
        pushes = Pushes(
            wanted, self._basics.clock, self._say, self._metrics.families, told,
            what=what, version=__version__, instance=self._instance,
        )  # fmt: skip
        self._run(what, wanted, pushes, *COUNTED)

    def _chosen(self, what: str, choose: Callable[[], Wanted | None]) -> Wanted | None:
        """What *choose* comes to, if it can be done; else a person is told why not."""
        try:
            wanted = choose()
        except ValueError as exc:
            self._complain(f"{what} are not sent: {exc}")
            return None
        if wanted is not None and not _installed(wanted.target):
            text = "telemetry is not sent: the libraries for it are not installed"
            self._complain(f"{text}; {installing('otel')} brings them")
            return None
        return wanted

    def _is_new(self, what: str, wanted: object) -> bool:
        """Whether *wanted* is another than what is sent now, which ends then."""
        made_from, sending, reading = self._running.get(what, (None, None, ExitStack()))
        if made_from == wanted:
            return False
        reading.close()
        if sending is not None:
            sending.close()
        self._running.pop(what, None)
        return True

    def _run(self, what: str, wanted: object, sending: _Sending, *kinds: type[Fact]) -> None:
        reading = ExitStack()
        reading.enter_context(self._bus.reading(sending.read, *kinds))
        self._running[what] = (wanted, sending, reading)

    def _complain(self, text: str) -> None:
        """Say *text*, once."""
        if text not in self._complained:
            self._complained.add(text)
            self._say("warning", text)

    def _say(self, level: Level, text: str) -> None:
        at = self._basics.clock.wall()
        self._basics.publish(Notice(at=at, level=level, text=text))


def _installed(target: Target) -> bool:
    try:
        return find_spec(_LIBRARIES.get(target.protocol, _HTTP)) is not None
    except ModuleNotFoundError:
        return False
