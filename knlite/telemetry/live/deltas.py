"""What a topic of the live feed has to tell since its last message, and how a newer one joins it.

A delta is made once for all who look and encoded once, when the first of them takes it. Who is slow
has one delta per topic, which newer ones are merged into: its memory is bounded by what there is
(objects, instances), or by ``MOST_ITEMS``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

MOST_ITEMS = 50
"""Of a stream, in one message: nobody reads more in a tenth of a second."""
MOST_KEYS = 5000
"""Things that are told of one by one; when more have changed, who looks asks anew."""


class Delta(Protocol):
    """Something to tell of one topic."""

    @property
    def skipped(self) -> int:
        """How much is left out that no later message makes up for."""
        ...

    @property
    def floods(self) -> bool:
        """Whether it is more than anybody can follow: then the next message may wait."""
        ...

    def merged(self, newer: "Delta") -> "Delta":
        """Both in one; neither is changed."""
        ...

    def data(self) -> bytes:
        """As JSON."""
        ...


class Whole:
    """A state, told as a whole: only the newest counts, and it is asked for when it is taken."""

    skipped = 0
    floods = False

    def __init__(self, snapshot: Callable[[], object]) -> None:
        self._snapshot = snapshot
        self._data: bytes | None = None

    def merged(self, newer: Delta) -> Delta:
        # Asked for again, it holds what is newer: counts alone are in no snapshot.
        return newer if isinstance(newer, Counts) else Whole(self._snapshot)

    def data(self) -> bytes:
        if self._data is None:
            self._data = msgspec.json.encode(self._snapshot())
        return self._data


class Items:
    """What came one after the other: ``{"items": […], "skipped": n}``; the newest win.

    An item that can be called gives what is told when it is told, so that what nobody gets to see
    is never worked out.
    """

    def __init__(self, items: Sequence[object], skipped: int = 0) -> None:
        self.skipped = skipped + max(0, len(items) - MOST_ITEMS)
        self._items = items[-MOST_ITEMS:]
        self._data: bytes | None = None

    @property
    def floods(self) -> bool:
        return self.skipped > 0

    def merged(self, newer: Delta) -> Delta:
        if not isinstance(newer, Items):
            return newer
        return Items((*self._items, *newer._items), self.skipped + newer.skipped)

    def data(self) -> bytes:
        if self._data is None:
            items = [each() if callable(each) else each for each in self._items]
            self._data = msgspec.json.encode({"items": items, "skipped": self.skipped})
        return self._data


class Keyed:
    """Things that have changed, each by its key: ``{NAME: […]}``, each as it is now.

    *joined* makes one of an older and a newer of the same key, where the older one is not just out
    of date; *beside* stands beside the list.
    """

    floods = False

    def __init__(
        self,
        name: str,
        things: Mapping[object, object],
        *,
        joined: Callable[[Any, Any], object] | None = None,
        beside: Mapping[str, object] | None = None,
        skipped: int = 0,
    ) -> None:
        self.skipped = skipped
        self._name = name
        self._things = things
        self._joined = joined
        self._beside = beside or {}
        self._data: bytes | None = None

    def merged(self, newer: Delta) -> Delta:
        if not isinstance(newer, Keyed):
            return newer
        things, skipped = dict(self._things), self.skipped + newer.skipped
        if len(things) + len(newer._things) > MOST_KEYS:
            skipped += len(things)
            things = {}
        join = self._joined
        for key, thing in newer._things.items():
            older = things.get(key)
            things[key] = thing if older is None or join is None else join(older, thing)
        return Keyed(self._name, things, joined=self._joined, beside=newer._beside, skipped=skipped)

    def data(self) -> bytes:
        if self._data is None:
            told = {**self._beside, self._name: list(self._things.values())}
            self._data = msgspec.json.encode(told)
        return self._data


class Counts:
    """How often things happened, and failed: ``{"counts": {KEY: [n, failed]}}``; they add up."""

    skipped = 0

    def __init__(self, counts: Mapping[str, Sequence[int]]) -> None:
        self._counts = counts
        self._data: bytes | None = None

    @property
    def floods(self) -> bool:
        return sum(number for number, _ in self._counts.values()) > MOST_ITEMS

    def merged(self, newer: Delta) -> Delta:
        if not isinstance(newer, Counts):
            return newer
        counts = dict(self._counts)
        for key, (number, failed) in newer._counts.items():
            had = counts.get(key, (0, 0))
            counts[key] = (had[0] + number, had[1] + failed)
        return Counts(counts)

    def data(self) -> bytes:
        if self._data is None:
            self._data = msgspec.json.encode({"counts": self._counts})
        return self._data
