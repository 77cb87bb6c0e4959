"""What has changed lately, for clients that list first and then ask what came after.

A window keeps the last changes of every kind. A reader is a place in it: it can be slow without
holding up anybody, and without a queue of its own, until the window has moved past it. Then it is
told that its place is too old, and lists again.

Source: Kubernetes API concepts, "Efficient detection of changes"; clients-api reference, Part 5.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import anyio
import msgspec

from knlite.errors import Expired
from knlite.kinds.meta import Object

KEPT_FOR = timedelta(minutes=12)
"""``kn`` asks again from where it began to wait, up to 630 seconds later, and survives no 410."""
KEPT = 20_000
"""Changes in the window, of all kinds together."""
_TRIM = 1_000

Predicate = Callable[[Object], bool]


@dataclass(frozen=True, slots=True)
class Change:
    """One object before and after; *old* is None when it is new, *new* when it is gone.

    *last* is the object as a DELETED event shows it, with the version of its end.
    """

    version: int
    at: datetime
    old: Object | None
    new: Object | None
    last: Object | None = None


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """What a watching client is told; ``obj.metadata.resource_version`` says when it was."""

    type: Literal["ADDED", "MODIFIED", "DELETED"]
    obj: Object


class _Recent:
    """The changes of one kind, in the order of their versions."""

    def __init__(self, floor: int) -> None:
        self.floor = floor
        """The version of the last change that is no longer here."""
        self.first = 0
        """How many have been dropped: places are counted from the start of the run."""
        self._changes: list[Change] = []
        self._dropped = 0
        self._changed: anyio.Event | None = None

    def __len__(self) -> int:
        return len(self._changes) - self._dropped

    @property
    def end(self) -> int:
        """The place of the next change."""
        return self.first + len(self)

    @property
    def oldest(self) -> datetime | None:
        """When the first change that is still here happened."""
        return self._changes[self._dropped].at if len(self) else None

    def append(self, change: Change) -> None:
        self._changes.append(change)
        if self._changed is not None:
            self._changed.set()
            self._changed = None

    def drop_first(self) -> None:
        self.floor = self._changes[self._dropped].version
        self.first += 1
        self._dropped += 1
        if self._dropped >= _TRIM and self._dropped * 2 >= len(self._changes):
            del self._changes[: self._dropped]
            self._dropped = 0

    def since(self, place: int) -> Sequence[Change]:
        return self._changes[self._dropped + place - self.first :]

    def place_after(self, version: int) -> int:
        """The place of the first change that is newer than *version*."""
        low, high = self._dropped, len(self._changes)
        while low < high:
            middle = (low + high) // 2
            if self._changes[middle].version <= version:
                low = middle + 1
            else:
                high = middle
        return self.first + low - self._dropped

    async def wait(self) -> None:
        """Return after the next change."""
        if self._changed is None:
            self._changed = anyio.Event()
        await self._changed.wait()


class Window:
    """The last changes of all kinds."""

    def __init__(self, *, floor: int = 0, kept: int = KEPT, kept_for: timedelta = KEPT_FOR) -> None:
        """Nothing is known of changes up to the version *floor*."""
        self._floor = floor
        self._kept = kept
        self._kept_for = kept_for
        self._count = 0
        self._kinds: defaultdict[type[Object], _Recent] = defaultdict(lambda: _Recent(self._floor))

    def forget(self, floor: int) -> None:
        """Know nothing of changes up to the version *floor*; nobody may be reading yet."""
        self._floor = floor
        self._count = 0
        self._kinds.clear()

    def append(self, kind: type[Object], change: Change) -> None:
        """Note *change* and wake those who watch *kind*."""
        recent = self._kinds[kind]
        recent.append(change)
        self._count += 1
        horizon = change.at - self._kept_for
        while (oldest := recent.oldest) is not None and oldest < horizon:
            self._drop_first(recent)
        while self._count > self._kept:
            # A kind that changes all the time must not push out what rarely changes.
            self._drop_first(max(self._kinds.values(), key=len))

    def watch(
        self,
        kind: type[Object],
        namespace: str,
        *,
        since: int,
        version: Callable[[], int],
        predicate: Predicate | None,
        present: Iterable[Object] | None,
    ) -> "Watch":
        """A reader of what happens to *kind* after the version *since*.

        *present* is what exists now, for a reader that begins with that. Raises ``Expired``.
        """
        recent = self._kinds[kind]
        now = version()
        if present is None:
            self.require(kind, since, now)
        place = recent.place_after(since if present is None else now)
        return Watch(recent, place, namespace, predicate, present, version)

    def require(self, kind: type[Object], since: int, now: int) -> None:
        """Refuse a version that is too old for *kind*, or newer than *now*. Raises ``Expired``."""
        floor = self._kinds[kind].floor
        if not floor <= since <= now:
            raise _too_old(since, floor if since <= now else now)

    def changes(self, kind: type[Object], since: int) -> Sequence[Change]:
        """What is known of what happened to *kind* after the version *since*."""
        recent = self._kinds[kind]
        return recent.since(recent.place_after(since))

    def _drop_first(self, recent: _Recent) -> None:
        recent.drop_first()
        self._count -= 1


class Watch:
    """One reader. Iterating gives ``initial`` first, then every change, and never ends.

    When selectors (*predicate*) begin or cease to match an object, that is told as ADDED or
    DELETED, as Kubernetes does. Raises ``Expired`` while iterating if the reader was too slow.
    """

    def __init__(
        self,
        recent: _Recent,
        place: int,
        namespace: str,
        predicate: Predicate | None,
        present: Iterable[Object] | None,
        version: Callable[[], int],
    ) -> None:
        self._recent = recent
        self._place = place
        self._namespace = namespace
        self._predicate = predicate
        self._version = version
        self._read = version()
        found = () if present is None else present
        self.initial: Sequence[WatchEvent] = tuple(
            WatchEvent("ADDED", obj) for obj in found if self._matches(obj)
        )

    @property
    def version(self) -> int:
        """The version up to which everything has been read; for bookmarks."""
        return self._version() if self._place == self._recent.end else self._read

    def available(self) -> Sequence[WatchEvent]:
        """The changes that have not been read yet, without waiting. Raises ``Expired``."""
        if self._place < self._recent.first:
            raise _too_old(self._read, self._recent.floor)
        changes = self._recent.since(self._place)
        self._place = self._recent.end
        if changes:
            self._read = changes[-1].version
        return [event for change in changes if (event := self._event(change)) is not None]

    async def changes(self) -> Sequence[WatchEvent]:
        """The changes that have not been read yet, at least one. Raises ``Expired``."""
        while True:
            found = self.available()
            if found:
                return found
            await self._recent.wait()

    async def __aiter__(self) -> AsyncIterator[WatchEvent]:
        for event in self.initial:
            yield event
        while True:
            for event in await self.changes():
                yield event

    def _matches(self, obj: Object | None) -> bool:
        if obj is None or (self._namespace and obj.metadata.namespace != self._namespace):
            return False
        return self._predicate is None or self._predicate(obj)

    def _event(self, change: Change) -> WatchEvent | None:
        was, now = self._matches(change.old), self._matches(change.new)
        if now and change.new is not None:
            return WatchEvent("MODIFIED" if was else "ADDED", change.new)
        if not was or change.old is None:
            return None
        last = change.last or _at_version(change.old, change.version)
        return WatchEvent("DELETED", last)


def _at_version(obj: Object, version: int) -> Object:
    metadata = msgspec.structs.replace(obj.metadata, resource_version=str(version))
    return msgspec.structs.replace(obj, metadata=metadata)


def _too_old(asked: int, known: int) -> Expired:
    return Expired(f"too old resource version: {asked} ({known})")
