"""Writes into the conditions of objects how what they have on a server stands.

A moment later, as other reports; and again when somebody else has written over it.

Not here: which condition says it (``eventing/standings.py``).
"""

from collections.abc import Iterator

from knlite.clock import Clock
from knlite.controlplane.reporting import Reporter
from knlite.eventing.standings import DEAD_LETTERS, Standing, condition_of, with_standing, worst
from knlite.facts import EgressChanged, Fact, LogStanding
from knlite.kinds.catalog import KINDS
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
        self._egresses: dict[str, Key] = {}
        """Objects by the uids of egresses."""

    def read(self, fact: Fact) -> None:
        """A reader of the bus."""
        match fact:
            case EgressChanged() if fact.gone:
                self._forget(fact.egress_uid)
            case EgressChanged():
                key = Key(_KINDS[fact.egress_kind], fact.egress_namespace, fact.egress_name)
                self._egresses[fact.egress_uid] = key
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
        if fact.egress_uid:
            key, uid = self._egresses.get(fact.egress_uid), fact.egress_uid
        else:
            key, uid = Key(_KINDS[fact.kind], fact.namespace, fact.name), fact.resource_uid
        obj = None if key is None else self._registry.at(key)
        if key is None or obj is None or obj.metadata.uid != uid:
            # It is gone, or another one has its name.
            return
        standing = Standing(fact.ready, fact.reason, fact.message)
        self._standings.setdefault(key, {})[fact.egress_uid, fact.part] = standing
        self._later(key)

    def _forget(self, egress_uid: str) -> None:
        """What read from a server does so no more: a Trigger outlives its Broker."""
        key = self._egresses.pop(egress_uid, None)
        if key is None or key not in self._standings:
            return
        standings = self._standings[key]
        for part in [part for part in standings if part[0] == egress_uid]:
            del standings[part]

    def _later(self, key: Key) -> None:
        self._reporter.report((LogStandings, key), lambda: self._write(key))

    def _write(self, key: Key) -> None:
        obj = self._registry.at(key)
        if obj is None:
            return
        now, new = self._clock.wall(), obj
        for part in ("", DEAD_LETTERS):
            said = tuple(self._of(obj, part))
            if said:
                new = with_standing(new, part, worst(said), now)
        if new is not obj:
            self._registry.update_status(new)

    def _of(self, obj: Object, part: str) -> Iterator[Standing]:
        """What is said of *part* of *obj*, or of all of it if it has one condition for both."""
        alone = condition_of(obj, DEAD_LETTERS) != condition_of(obj, "")
        for (_, of), standing in self._standings.get(key_of(obj), {}).items():
            if of == part or not alone:
                yield standing
