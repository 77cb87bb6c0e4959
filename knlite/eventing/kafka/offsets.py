"""How far a reader has come in one partition: what it has met, has in hand, and is done with.

Kafka knows one number for each partition and group, the offset that is read next after a restart.
It is that of the first record that is not done with; so what is in hand when a run ends comes
again, with all that was done behind it.

A record is met once, also when the server hands it out again after a rebalance: what lies before
``_next`` is done, in hand, or was not for this reader.
"""


class Offsets:
    """One partition of one reader."""

    __slots__ = ("_fetched", "_held", "_next", "age", "committed")

    def __init__(self, start: int) -> None:
        self._next = start
        """The first record that has not been met."""
        self._fetched = start
        """The first that the server has not handed out since the partition was assigned."""
        self._held: dict[int, None] = {}
        """Met and not done with, in order."""
        self.committed = start
        """What the server knows."""
        self.age = 0
        """How many times all was forgotten: what was in hand before belongs to another log."""

    @property
    def mark(self) -> int:
        """What may be committed."""
        return next(iter(self._held), self._next)

    @property
    def position(self) -> int:
        """The first record that has not been met."""
        return self._next

    def meet(self, offset: int) -> bool:
        """A record was handed out; False: it was met before."""
        if offset < self._fetched:
            # Within one assignment offsets grow, unless the topic was replaced by another.
            self._begin(offset)
        self._fetched = offset + 1
        if offset < self._next:
            return False
        self._next = offset + 1
        return True

    def hold(self, offset: int) -> None:
        """The record that was just met is for this reader."""
        self._held[offset] = None

    def done(self, offset: int, age: int) -> bool:
        """Nothing more happens to what was held; False: nobody waits for that any more."""
        if age != self.age or offset not in self._held:
            return False
        del self._held[offset]
        return True

    def give_back(self, offset: int) -> None:
        """From *offset* on nothing that was met is in anybody's hands: it is met again."""
        for held in [held for held in self._held if held >= offset]:
            del self._held[held]
        self._next = offset

    def assigned(self, position: int) -> None:
        """The partition is read from *position* on.

        If that is behind what was committed, somebody wants it all again. If it is ahead of what
        was met, others have read in the meantime: what is in hand is theirs too.
        """
        if position < self.committed or position > self._next:
            self._begin(position)
        self._fetched = position
        self.committed = position

    def _begin(self, offset: int) -> None:
        self._held.clear()
        self.age += 1
        self._next = self._fetched = self.committed = offset
