"""The messages of one queue that are in our hands, over all channels on which they have come.

A server hands out again what has not been acknowledged on a channel that is closed. What somebody
still works at is not offered a second time for that, and what is done is acknowledged once more,
also if it was in the last moment: the server may not have heard of it.
"""

from collections.abc import Hashable

from knlite.eventlog.rabbitmq.cursor import Entry

_LOST = 1000
"""Messages that are done and have not come again; beyond it somebody else has got them."""


class Hand:
    """Which they are; who acknowledges is somebody else."""

    def __init__(self) -> None:
        self.generation = 0
        """Of the channel that is open, or was last."""
        self.most = 1
        """That the server lets us have at once."""
        self._held: dict[int, Entry] = {}
        """By tag, on the channel of this generation."""
        self._lost: dict[Hashable, list[Entry]] = {}
        """Taken from a channel that is closed, and to come again."""
        self._settled: dict[Hashable, None] = {}
        """Acknowledged last, in that order."""

    @property
    def oldest(self) -> int | None:
        """The lowest tag that is held."""
        return next(iter(self._held), None)

    def hold(self, entry: Entry, tag: int) -> None:
        """*entry* has come under *tag*."""
        entry.tag, entry.generation = tag, self.generation
        self._held[tag] = entry

    def known(self, key: Hashable, tag: int) -> Entry | None:
        """The message of this *key*, if it was ours already; it is so again, under *tag*."""
        if not self._lost:
            return None
        found = self._lost.get(key)
        if found is None:
            return None
        entry = found.pop(0)
        if not found:
            del self._lost[key]
        if not entry.done:
            self.hold(entry, tag)
        return entry

    def release(self, entry: Entry) -> bool:
        """*entry* is done; whether that can be acknowledged now."""
        if entry.generation != self.generation:
            return False
        return self._held.pop(entry.tag, None) is not None

    def settle(self, key: Hashable) -> None:
        """The message of this *key*, which no other ever has, is acknowledged."""
        self._settled[key] = None
        # The server counts as ours what it has not heard of, and that is ``most``; twice, as a
        # connection may be lost before all of it has come again.
        if len(self._settled) > 2 * self.most:
            del self._settled[next(iter(self._settled))]

    def is_settled(self, key: Hashable) -> bool:
        """Whether the message of this *key* has been acknowledged lately."""
        return key in self._settled

    def lose(self) -> None:
        """The channel is closed: what was taken will come again."""
        self.generation += 1
        for entry in self._held.values():
            if entry.taken:
                self._lost.setdefault(entry.key, []).append(entry)
        self._held.clear()
        if len(self._lost) > _LOST:
            kept = {key: [each for each in of if not each.done] for key, of in self._lost.items()}
            self._lost = {key: entries for key, entries in kept.items() if entries}
