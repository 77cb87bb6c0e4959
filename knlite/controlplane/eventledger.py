"""Keeps what happened to objects, and shows it as Kubernetes Events.

What happens again is counted, and many of a kind become one, as Kubernetes' recorder does it. An
entry is dropped an hour after it was last counted, when somebody writes or reads; nothing runs for
that. Entries are small; the Event of one is made when somebody reads it.

Source: Kubernetes client-go ``tools/record/events_cache.go`` (aggregation), kube-apiserver
``--event-ttl``.
Not here: what is told (``serving/happenings.py``), of which facts (``eventrecorder.py``).
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from knlite.kinds.catalog import KINDS
from knlite.kinds.conditions import timestamp
from knlite.kinds.core.event import Event, EventSource
from knlite.kinds.core.objectreference import ObjectReference
from knlite.kinds.happening import Happening
from knlite.kinds.meta import Object, ObjectMeta
from knlite.reconcile import Key, View

KEPT_FOR = timedelta(hours=1)
"""After the last time it happened, as on a cluster."""
KEPT = 10_000
"""Entries; when there are more, the one that happened longest ago goes."""
ALIKE = 10
"""Different messages of one object for one reason within ``ALIKE_WITHIN`` that are kept apart."""
ALIKE_WITHIN = timedelta(minutes=10)
LONGEST_MESSAGE = 1024
COMBINED = "(combined from similar events): "

_API_VERSIONS = {info.type.__name__: (info.api_version, info.kind) for info in KINDS}

_Group = tuple[str, str, str, str, str, str]
"""Kind, namespace, name, uid, reason, component."""
_Entry = tuple[_Group, str]
"""The message, or ``COMBINED``."""


@dataclass(slots=True)
class _Recorded:
    group: _Group
    type: str
    name: str
    message: str
    first: datetime
    last: datetime
    count: int
    version: int


@dataclass(slots=True)
class _Similar:
    last: datetime
    messages: tuple[str, ...] = ()


class EventLedger:
    """What happened to all objects of a run; the derivation of the kind Event."""

    kind: type[Object] = Event

    def __init__(self, wall: Callable[[], datetime]) -> None:
        self._wall = wall
        self._entries: OrderedDict[_Entry, _Recorded] = OrderedDict()
        """The one that happened last is last."""
        self._names: dict[tuple[str, str], _Recorded] = {}
        self._similar: OrderedDict[_Group, _Similar] = OrderedDict()
        self._made = 0
        self._next_version: Callable[[], int] = lambda: 0
        self._changed: Callable[[Key], None] = lambda _: None

    def report_to(self, next_version: Callable[[], int], changed: Callable[[Key], None]) -> None:
        """Take versions from the one, and tell the other of each Event that changes."""
        self._next_version, self._changed = next_version, changed

    def record(self, at: datetime, happening: Happening, uid: str) -> None:
        """Count *happening*, which was *at*, of the object with *uid*."""
        self._expire(at)
        group = (
            happening.kind,
            happening.namespace,
            happening.name,
            uid,
            happening.reason,
            happening.component,
        )
        # Each is one line of a listing.
        message = " ".join(happening.message.split())[:LONGEST_MESSAGE]
        combined = self._is_one_of_many(group, message, at)
        entry = (group, COMBINED if combined else message)
        version = self._next_version()
        found = self._entries.get(entry)
        if found is None:
            name = f"{happening.name}.{int(at.timestamp() * 1_000_000):x}{self._made % 4096:03x}"
            self._made += 1
            found = _Recorded(group, happening.type, name, "", at, at, 0, version)
            self._entries[entry] = found
            self._names[_namespace(found), name] = found
        found.message = (COMBINED + message)[:LONGEST_MESSAGE] if combined else message
        found.last, found.version = at, version
        found.count += 1
        self._entries.move_to_end(entry)
        self._changed(_key(found))
        while len(self._entries) > KEPT:
            self._drop_oldest()

    def forget(self, namespace: str) -> None:
        """Drop what happened in *namespace*, which is no more."""
        for entry, found in tuple(self._entries.items()):
            if _namespace(found) == namespace:
                del self._entries[entry]
                self._gone(found)

    def get(self, view: View, namespace: str, name: str) -> Object | None:
        """The Event of that name."""
        self._expire(self._wall())
        found = self._names.get((namespace, name))
        return None if found is None else _event(found)

    def listed(self, view: View, namespace: str) -> Iterator[Object]:
        """The Events of *namespace* ("" means of all), the oldest first."""
        self._expire(self._wall())
        for found in tuple(self._entries.values()):
            if namespace in {"", _namespace(found)}:
                yield _event(found)

    def following(self, obj: Object) -> Iterable[Key]:
        """No stored object makes an Event; who records one says so."""
        return ()

    def _is_one_of_many(self, group: _Group, message: str, at: datetime) -> bool:
        similar = self._similar.get(group)
        if similar is None:
            similar = self._similar[group] = _Similar(at)
        similar.last = at
        self._similar.move_to_end(group)
        while len(self._similar) > KEPT:
            self._similar.popitem(last=False)
        if message in similar.messages:
            return False
        if len(similar.messages) >= ALIKE:
            return True
        similar.messages += (message,)
        return False

    def _expire(self, now: datetime) -> None:
        horizon = now - KEPT_FOR
        while self._entries and next(iter(self._entries.values())).last < horizon:
            self._drop_oldest()
        while self._similar and now - next(iter(self._similar.values())).last > ALIKE_WITHIN:
            self._similar.popitem(last=False)

    def _drop_oldest(self) -> None:
        _, found = self._entries.popitem(last=False)
        self._gone(found)

    def _gone(self, found: _Recorded) -> None:
        del self._names[_namespace(found), found.name]
        self._changed(_key(found))


def _namespace(found: _Recorded) -> str:
    """Where its Event is; those of cluster objects are in ``default``."""
    return found.group[1] or "default"


def _key(found: _Recorded) -> Key:
    return Key(Event, _namespace(found), found.name)


def _event(found: _Recorded) -> Event:
    kind, namespace, name, uid, reason, component = found.group
    api_version, kind_name = _API_VERSIONS.get(kind, ("", kind))
    return Event(
        metadata=ObjectMeta(
            name=found.name,
            namespace=_namespace(found),
            uid=f"{found.name}.{uid}",
            resource_version=str(found.version),
            creation_timestamp=timestamp(found.first),
        ),
        involved_object=ObjectReference(
            api_version=api_version, kind=kind_name, namespace=namespace, name=name, uid=uid
        ),
        reason=reason,
        message=found.message,
        type=found.type,
        source=EventSource(component=component),
        first_timestamp=timestamp(found.first),
        last_timestamp=timestamp(found.last),
        count=found.count,
        reporting_component=component,
    )
