"""What connections say again and again, kept once for all of them.

Every connection knows what it said last (ADR 0011). With hundreds of them that say the same, what
it means would otherwise lie in memory hundreds of times, and the processor would wait for it.
"""

from typing import Generic, TypeVar

KEPT = 64
"""Different texts that are kept; with one more all are forgotten, which costs a copy each."""

M = TypeVar("M")


class Repetitions(Generic[M]):
    """Texts and their meanings."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[bytes, tuple[bytes, M]] = {}

    def keep(self, said: bytes, meant: M) -> tuple[bytes, M]:
        """Return *said* and *meant*, or those that equal them and were kept before."""
        found = self._kept.get(said)
        if found is None:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            found = self._kept[said] = (said, meant)
        return found
