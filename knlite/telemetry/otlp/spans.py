"""The reader of facts that become spans: it notes them, and a thread does the rest."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NamedTuple

from msgspec import structs

from knlite.clock import Clock
from knlite.eventlog.bounds import said
from knlite.facts import (
    DeliveryAttempted,
    EgressChanged,
    EventAccepted,
    Fact,
    RequestDone,
    SourceSent,
)
from knlite.telemetry.keptheads import EVENT_HEADERS, lightened
from knlite.telemetry.otlp.choice import Target
from knlite.telemetry.otlp.outbox import Outbox, Say

READ = (RequestDone, EventAccepted, DeliveryAttempted, SourceSent)
"""The facts that become spans."""
_WANTED, _WANTED_TEXT = frozenset(b"13579bdf"), frozenset("13579bdf")
"""Last characters of flags that say so (W3C Trace Context §3.2.2.5)."""


class Noted(NamedTuple):
    """A fact, and what else its spans tell."""

    fact: RequestDone | EventAccepted | DeliveryAttempted | SourceSent
    """An EventAccepted without its data, which no span tells."""
    size: int = 0
    """Bytes of that data."""
    kept: int = 0
    """For an EventAccepted: when it was told, in nanoseconds since the epoch."""
    egresses: tuple[EgressChanged, ...] = ()
    """For an EventAccepted: those that its resource had."""


class Egresses:
    """The egresses of each resource as they are."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[EgressChanged, ...]] = {}

    def read(self, fact: Fact) -> None:
        """Take note of *fact*."""
        if not isinstance(fact, EgressChanged):
            return
        uid = fact.resource_uid
        others = [each for each in self.of(uid) if each.egress_uid != fact.egress_uid]
        found = (*others, *(() if fact.gone else (fact,)))
        if found:
            self._of[uid] = found
        else:
            self._of.pop(uid, None)

    def of(self, resource: str) -> tuple[EgressChanged, ...]:
        """Those of the resource with that uid."""
        return self._of.get(resource, ())


class Spans:
    """Of one collector."""

    def __init__(
        self,
        target: Target,
        clock: Clock,
        say: Say,
        egresses: Egresses,
        *,
        version: str,
        instance: str,
    ) -> None:
        """*version* and *instance* are this knlite's."""
        self._clock = clock
        self._egresses = egresses
        send = _Loaded(target, version, instance)
        self._outbox = Outbox[Noted](clock, say, send, what="traces", where=target.shown)
        self.close, self.aclose = self._outbox.close, self._outbox.aclose

    def read(self, fact: Fact) -> None:
        """Note *fact* if somebody wants its trace."""
        if type(fact) is RequestDone:
            if fact.trace and fact.trace[-1] in _WANTED:
                self._outbox.put(Noted(lightened(fact, EVENT_HEADERS)))
        elif type(fact) is DeliveryAttempted or type(fact) is SourceSent:
            if fact.trace and fact.trace[-1] in _WANTED_TEXT:
                self._outbox.put(Noted(fact), len(fact.event_id) + len(fact.event_type))
        elif type(fact) is EventAccepted and fact.headers:
            kept = int(self._clock.wall().timestamp() * 1e9)
            size = len(fact.data or b"")
            bare = structs.replace(fact, data=None)
            noted = Noted(bare, size, kept, self._egresses.of(fact.resource_uid))
            self._outbox.put(noted, said(fact.attributes, fact.headers, None))


class _Loaded:
    """Sends what was noted; the libraries that do so are loaded by the first who asks."""

    def __init__(self, *how: object) -> None:
        self._how = how
        self._send: Callable[[Sequence[Noted]], str] | None = None

    def __call__(self, noted: Sequence[Noted]) -> str:
        if self._send is None:
            module = import_module("knlite.telemetry.otlp.spansending")
            self._send = module.SpanSending(*self._how).send
        return self._send(noted)
