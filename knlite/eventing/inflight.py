"""Up to where a trigger is done with its events, when several are on their way at once.

Source: knlite's own; a low-water mark as consumers of logs keep it.
"""


class Inflight:
    """Positions that were taken in order and end in any order."""

    __slots__ = ("_done", "_open", "low_water")

    def __init__(self, start: int) -> None:
        self.low_water = start
        """Everything before this position is done with."""
        self._open: dict[int, None] = {}
        self._done = start

    def begin(self, position: int) -> None:
        """*position* is on its way; positions come in ascending order."""
        self._open[position] = None
        self._done = position + 1

    def end(self, position: int) -> int:
        """*position* is done with; returns the new low-water mark."""
        self._open.pop(position, None)
        self.low_water = next(iter(self._open), self._done)
        return self.low_water
