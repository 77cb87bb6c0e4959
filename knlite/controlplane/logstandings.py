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
        self._standings: dict[Key, dict[_Part, tuple[str, Standing]]] = {}
        """By object; with the uid of the object that it was told of."""
        self._egresses: dict[str, tuple[Key, str]] = {}
        """Objects by the uids of egresses, with their own uid."""

    def read(self, fact: Fact) -> None:
        """A reader of the bus."""
        match fact:
            case EgressChanged() if fact.gone:
                self._egresses.pop(fact.egress_uid, None)
            case EgressChanged():
                key = Key(_KINDS[fact.egress_kind], fact.egress_namespace, fact.egress_name)
                self._egresses[fact.egress_uid] = key, fact.egress_uid
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
            found = self._egresses.get(fact.egress_uid)
        else:
            resource = Key(_KINDS[fact.kind], fact.namespace, fact.name)
            found = resource, fact.resource_uid
        if found is None:
            return
        key, uid = found
        standing = Standing(fact.ready, fact.reason, fact.message)
        self._standings.setdefault(key, {})[fact.egress_uid, fact.part] = uid, standing
        self._later(key)

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
        uid = obj.metadata.uid
        for (_, of), (told_of, standing) in self._standings.get(key_of(obj), {}).items():
            if told_of == uid and (of == part or not alone):
                yield standing
