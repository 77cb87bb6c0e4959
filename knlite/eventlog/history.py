"""The contract of a history of events: what came, what became of it, and which filters judged it.

It is fed with facts, whichever engine carries the events, and asked by people. What is kept is
bounded; the newest win. An event whose deliveries have not all ended is not forgotten before those
that have: engines bound how many such there are.

Source: ``docs/adr/0031-the-event-log.md``.
Not here: what a story says (``telemetry/xray.py``).
"""

from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import anyio
from anyio.abc import TaskStatus

from knlite.eventlog.searching import holds, words
from knlite.facts import DeliveryAttempted, EgressChanged, EventAccepted

NEWEST = 2**63 - 1
"""Above every arrival."""
KEPT_ATTEMPTS = 100
"""Of one event at one egress; of later ones only the one that ends it is kept."""
KEPT_VERSIONS = 1000
"""Of the filter of one egress."""
BY_HAND = "Replay"
"""The kind of egress of what somebody sent to a URL by hand, who was not to get it by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InMemory:
    """How much is kept without a data folder; beyond it the oldest that have ended go."""

    history_bytes: int = 64 * 1024 * 1024
    history_seconds: float = 7 * 24 * 3600.0
    """Since their arrival."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDisk:
    """How much is kept in a data folder."""

    history_bytes: int = 1024 * 1024 * 1024
    history_seconds: float = 7 * 24 * 3600.0


Bounds = InMemory | OnDisk


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events are asked for; what is empty selects all."""

    id: str = ""
    source: str = ""
    type: str = ""
    subject: str = ""
    text: str = ""
    """Words that are all in its attributes or its data (``searching.py``)."""
    readers: frozenset[str] = frozenset()
    """Only what one of these egresses gets."""
    kind: str = ""
    """Of the resource, as are the next two."""
    namespace: str = ""
    name: str = ""
    since: int = 0
    """Arrivals at or above it …"""
    before: int = NEWEST
    """… and below it."""
    repeats: frozenset[int] = frozenset()
    """Only what was sent again, and repeats one of these arrivals."""
    originals: bool = False
    """Only what repeats nothing."""
    troubled: bool = False
    """Only those with a delivery that has failed or that went to a dead letter sink."""
    state: str = ""
    """Only those that may be in this state (``telemetry/stories.py``): a history leaves out what it
    knows not to be, and whoever asks works out the rest."""
    limit: int = 100

    def takes(self, fact: EventAccepted) -> bool:
        """Whether *fact* is asked for, as far as it says itself."""
        attributes = fact.attributes
        return (
            self.since <= fact.arrival < self.before
            and (not self.type or attributes.get("type") == self.type)
            and (not self.id or attributes.get("id") == self.id)
            and (not self.source or attributes.get("source") == self.source)
            and (not self.subject or attributes.get("subject") == self.subject)
            and (not self.kind or fact.kind == self.kind)
            and (not self.namespace or fact.namespace == self.namespace)
            and (not self.name or fact.name == self.name)
            and (not self.repeats or fact.replay_of in self.repeats)
            and not (self.originals and fact.replay_of)
            and (not self.readers or not self.readers.isdisjoint(fact.readers))
            and (not self.text or holds(fact, words(self.text)))
        )


@dataclass(frozen=True, slots=True)
class Happened:
    """One event, and what has become of it so far."""

    accepted: EventAccepted
    attempts: tuple[DeliveryAttempted, ...] = ()
    """In the order in which they ended."""
    pending: frozenset[str] = frozenset()
    """The egresses whose delivery this run has still to end."""
    size: int = 0
    """Of its data, in bytes."""


def is_trouble(fact: DeliveryAttempted) -> bool:
    """Whether it ended a delivery that the subscriber did not take."""
    return fact.outcome in {"failed", "dead-lettered"} and has_ended(fact)


def has_ended(fact: DeliveryAttempted) -> bool:
    """Whether it ended a delivery to one of those who are to get the event."""
    return fact.ended and fact.egress_kind != BY_HAND


GOES_ON = frozenset(("delivering", "waiting"))
"""The states of an event of which a delivery has still to end …"""
TROUBLE = frozenset(("failed", "dead-lettered"))
"""… of one with a delivery that its subscriber did not take …"""
LOST = frozenset(("cut off", "gone"))
"""… and of one with a delivery that nobody will end."""


def may_be(state: str, fact: EventAccepted, attempts: Sequence[DeliveryAttempted]) -> bool:
    """Whether an event that has nothing left to end may be in *state*."""
    if state == "unmatched":
        return not fact.readers
    if state in TROUBLE:
        return any(map(is_trouble, attempts))
    if state in LOST:
        count = len(fact.readers)
        return len(attempts) < count or sum([has_ended(each) for each in attempts]) < count
    return state not in GOES_ON


class History(Protocol):
    """Keeps facts of events. Noting never waits and never raises; asking may wait for a disk."""

    @property
    def newest(self) -> int:
        """The highest arrival that is kept, 0 if nothing is."""
        ...

    def accepted(self, fact: EventAccepted) -> None:
        """An event has come; its readers are known. One that is known already changes nothing."""
        ...

    def attempted(self, fact: DeliveryAttempted) -> bool:
        """An attempt has ended; whether that has ended the event."""
        ...

    def changed(self, fact: EgressChanged) -> tuple[int, ...]:
        """An egress has changed; the arrivals of events that have ended as it is gone."""
        ...

    def is_open(self, arrival: int) -> bool:
        """Whether a delivery of that event has still to end."""
        ...

    async def at(self, arrival: int) -> Happened | None:
        """One event."""
        ...

    def find(self, wanted: Wanted) -> AsyncGenerator[Happened, None]:
        """The newest events that are *wanted*, the newest first.

        Their data is left out, which may be more than memory holds: ``at`` has it.
        """
        ...

    async def egresses(self, resource_uid: str, arrival: int) -> list[EgressChanged]:
        """The egresses that a resource had when *arrival* came, as they were then, by name."""
        ...

    def uids(self, kind: str, namespace: str, name: str) -> frozenset[str]:
        """Those of the egresses that have, or had, that name; an empty *kind*: of any."""
        ...

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Forget what is too much, until cancelled."""
        ...


class Progress:
    """Which deliveries of which events have still to end in this run."""

    def __init__(self) -> None:
        self._open: dict[int, str | set[str]] = {}
        """Mostly one, and thousands at times."""

    def __contains__(self, arrival: int) -> bool:
        return arrival in self._open

    def begin(self, arrival: int, readers: tuple[str, ...]) -> bool:
        """An event has come; whether anybody is to get it."""
        if readers:
            self._open[arrival] = readers[0] if len(readers) == 1 else set(readers)
        return bool(readers)

    def arrivals(self) -> Iterable[int]:
        """Those events."""
        return self._open

    def of(self, arrival: int) -> frozenset[str]:
        """The egresses that have still to end with that event."""
        readers = self._open.get(arrival, ())
        return frozenset((readers,) if isinstance(readers, str) else readers)

    def resume(self, arrival: int, reader: str) -> None:
        """A delivery that an earlier run has not ended goes on."""
        readers = self._open.setdefault(arrival, reader)
        if isinstance(readers, set):
            readers.add(reader)
        elif readers != reader:
            self._open[arrival] = {readers, reader}

    def end(self, arrival: int, reader: str) -> bool:
        """One delivery has ended; whether it was the last of its event."""
        readers = self._open.get(arrival)
        if isinstance(readers, set):
            readers.discard(reader)
            if readers:
                return False
        elif readers != reader:
            return False
        del self._open[arrival]
        return True

    def gone(self, reader: str) -> tuple[int, ...]:
        """An egress is gone; the events that have ended by that."""
        with_it = [
            arrival
            for arrival, readers in self._open.items()
            if readers == reader or (isinstance(readers, set) and reader in readers)
        ]
        return tuple(arrival for arrival in with_it if self.end(arrival, reader))


class Versions:
    """The filters of egresses, now and before."""

    def __init__(self) -> None:
        self._of: dict[str, dict[str, list[EgressChanged]]] = {}
        """By resource and egress, the oldest first."""

    def note(self, fact: EgressChanged) -> bool:
        """Keep *fact*; False if it says nothing new."""
        versions = self._of.setdefault(fact.resource_uid, {}).setdefault(fact.egress_uid, [])
        if versions:
            last = versions[-1]
            if (last.filter_spec, last.gone) == (fact.filter_spec, fact.gone):
                return False
        versions.append(fact)
        del versions[:-KEPT_VERSIONS]
        return True

    def at(self, resource_uid: str, arrival: int) -> list[EgressChanged]:
        """What the egresses of a resource were at *arrival*, by name."""
        found = []
        for versions in self._of.get(resource_uid, {}).values():
            fact = next((each for each in reversed(versions) if each.since < arrival), None)
            if fact is not None and not fact.gone:
                found.append(fact)
        return sorted(found, key=lambda fact: (fact.egress_namespace, fact.egress_name))

    def uids(self, kind: str, namespace: str, name: str) -> frozenset[str]:
        """As ``History.uids``."""
        newest = (each[-1] for egresses in self._of.values() for each in egresses.values())
        return frozenset(
            fact.egress_uid
            for fact in newest
            if (fact.egress_namespace, fact.egress_name) == (namespace, name)
            and kind in {"", fact.egress_kind}
        )

    def forget(self, oldest: int) -> list[EgressChanged]:
        """Nothing before *oldest* is asked about any more; what is forgotten by that."""
        gone: list[EgressChanged] = []
        for resource_uid, egresses in tuple(self._of.items()):
            for uid, versions in tuple(egresses.items()):
                while len(versions) > 1 and versions[1].since < oldest:
                    gone.append(versions.pop(0))
                if versions[0].gone and versions[0].since < oldest:
                    gone += egresses.pop(uid)
            if not egresses:
                del self._of[resource_uid]
        return gone
