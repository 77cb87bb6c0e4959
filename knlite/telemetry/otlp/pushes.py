"""Pushes metrics from time to time, as long as something happens."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from importlib import import_module

from prometheus_client.core import Metric

from knlite.clock import Clock, Timer
from knlite.facts import Fact
from knlite.telemetry.otlp.choice import Pushed
from knlite.telemetry.otlp.outbox import Outbox, Say

Families = Callable[[], Iterable[Metric]]


class Pushes:
    """To one collector: the metrics of *families* for whose name *told* is true; *what* these are.

    Differs from OpenTelemetry's periodic reader in that nothing is pushed while nothing happens.
    """

    def __init__(
        self,
        pushed: Pushed,
        clock: Clock,
        say: Say,
        families: Families,
        told: Callable[[str], bool],
        *,
        what: str,
        version: str,
        instance: str,
    ) -> None:
        self._clock = clock
        self._interval = pushed.interval
        self._families = families
        self._told = told
        self._timer: Timer | None = None
        send = _Loaded(pushed.target, version, instance, clock.wall())
        self._outbox = Outbox[tuple[datetime, list[Metric]]](
            clock, say, send, what=what, where=pushed.target.shown, delay=0.0
        )

    def read(self, _: Fact) -> None:
        """Something has changed."""
        if self._timer is None:
            self._timer = self._clock.call_at(self._clock.now() + self._interval, self._push)

    def close(self) -> None:
        """Send what is there if that can be done, without anybody who waits for it."""
        self._push_last()
        self._outbox.close()

    async def aclose(self) -> None:
        """Send what is there, within the time that an outbox takes at most."""
        self._push_last()
        await self._outbox.aclose()

    def _push_last(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._push()

    def _push(self) -> None:
        self._timer = None
        # One that still waits for its turn would say less.
        if not self._outbox.waits:
            families = [each for each in self._families() if self._told(each.name)]
            self._outbox.put((self._clock.wall(), families))


class _Loaded:
    """Sends metrics; the libraries that do so are loaded by the first who asks."""

    def __init__(self, *how: object) -> None:
        self._how = how
        self._send: Callable[[Sequence[tuple[datetime, list[Metric]]]], str] | None = None

    def __call__(self, taken: Sequence[tuple[datetime, list[Metric]]]) -> str:
        if self._send is None:
            module = import_module("knlite.telemetry.otlp.metricsending")
            self._send = module.MetricSending(*self._how).send
        return self._send(taken)
