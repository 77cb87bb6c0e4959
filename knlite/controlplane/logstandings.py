"""Writes into the conditions of objects how what they have on a server stands.

A moment later, as other reports; and again when somebody else has written over it.

Not here: which condition says it (``eventing/standings.py``).
"""

from collections.abc import Iterator, Mapping

from knlite.clock import Clock
from knlite.controlplane.reporting import Reporter
from knlite.eventing.standings import (
    DEAD_LETTERS,
    Standing,
    condition_of,
    with_readers,
    with_standing,
    worst,
)
from knlite.facts import EgressChanged, Fact, LogStanding
from knlite.kinds.catalog import KINDS
from knlite.kinds.messaging.kafkachannel import KafkaChannel
from knlite.kinds.meta import Object
from knlite.reconcile import Key, key_of
from knlite.registry.registry import Notification, Registry

READ = (LogStanding, EgressChanged)

_KINDS = {info.type.__name__: info.type for info in KINDS}

_Part = tuple[str, str]
"""The uid of an egress, or nothing, and which part."""


class LogStandings:
    """Those of one registry."""

    def __init__(self, registry: Registry, reporter: Reporter, clock: Clock) -> None:
        self._registry = registry
        self._reporter = reporter
        self._clock = clock
        self._standings: dict[Key, dict[_Part, Standing]] = {}
        """By object, as long as it is there."""
        self._egresses: dict[str, tuple[Key, str]] = {}
        """Who is told of an egress, with its uid, by the uid of the egress: the Trigger or source
        that it is, but of a Subscription its channel, who tells that."""

    def read(self, fact: Fact) -> None:
        """A reader of the bus."""
        match fact:
            case EgressChanged() if fact.gone:
                self._forget(fact.egress_uid)
            case EgressChanged():
                self._egresses[fact.egress_uid] = _told_of(fact)
            case LogStanding():
                self._note(fact)
            case _:
                pass

    def note(self, notification: Notification) -> None:
        """A listener of the registry."""
        key = key_of(notification.obj)
        if key not in self._standings:
            return
        if notification.change == "deleted":
            del self._standings[key]
        else:
            self._later(key)

    def _note(self, fact: LogStanding) -> None:
        told = (
            self._egresses.get(fact.egress_uid)
            if fact.egress_uid
            else (Key(_KINDS[fact.kind], fact.namespace, fact.name), fact.resource_uid)
        )
        if told is None:
            return
        key, uid = told
        obj = self._registry.at(key)
        if obj is None or obj.metadata.uid != uid:
            # It is gone, or another one has its name.
            return
        standing = Standing(fact.ready, fact.reason, fact.message)
        self._standings.setdefault(key, {})[fact.egress_uid, fact.part] = standing
        self._later(key)

    def _forget(self, egress_uid: str) -> None:
        """What read from a server does so no more: a Trigger outlives its Broker."""
        told = self._egresses.pop(egress_uid, None)
        standings = {} if told is None else self._standings.get(told[0], {})
        for part in [part for part in standings if part[0] == egress_uid]:
            del standings[part]

    def _later(self, key: Key) -> None:
        self._reporter.report((LogStandings, key), lambda: self._write(key))

    def _write(self, key: Key) -> None:
        obj = self._registry.at(key)
        if obj is None:
            return
        now, new, standings = self._clock.wall(), obj, self._standings.get(key, {})
        if isinstance(new, KafkaChannel):
            new = with_readers(new, {uid: told for (uid, _), told in standings.items() if uid})
            standings = {part: told for part, told in standings.items() if not part[0]}
        for part in ("", DEAD_LETTERS):
            said = tuple(_of_part(part, new, standings))
            if said:
                new = with_standing(new, part, worst(said), now)
        if new is not obj:
            self._registry.update_status(new)


def _told_of(fact: EgressChanged) -> tuple[Key, str]:
    if fact.kind == "KafkaChannel":
        return Key(KafkaChannel, fact.namespace, fact.name), fact.resource_uid
    key = Key(_KINDS[fact.egress_kind], fact.egress_namespace, fact.egress_name)
    return key, fact.egress_uid


def _of_part(part: str, obj: Object, standings: Mapping[_Part, Standing]) -> Iterator[Standing]:
    """What is said of *part* of *obj*, or of all of it if it has one condition for both."""
    alone = condition_of(obj, DEAD_LETTERS) != condition_of(obj, "")
    for (_, of), standing in standings.items():
        if of == part or not alone:
            yield standing
