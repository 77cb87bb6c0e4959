"""A request's body on its way in: who takes it, and taking it whole up to a limit."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class BodyReceiver(Protocol):
    """Takes a body piece by piece. After ``end`` or ``gone`` nothing more is called."""

    def data(self, data: bytes) -> None:
        """Take the next piece, never empty."""
        ...

    def end(self) -> None:
        """The body is complete."""
        ...

    def gone(self, why: str) -> None:
        """The body will never be complete."""
        ...


@dataclass(frozen=True, slots=True)
class TooLarge:
    """The body is larger than *limit* bytes and was not kept."""

    limit: int


class WholeBody:
    """Collects up to *limit* bytes, then calls *done* once; not at all if the sender leaves."""

    __slots__ = ("_done", "_limit", "_pieces", "_size")

    def __init__(self, limit: int, done: Callable[[bytes | TooLarge], None]) -> None:
        self._limit = limit
        self._done = done
        self._pieces: list[bytes] | None = []
        self._size = 0

    def data(self, data: bytes) -> None:
        if self._pieces is None:
            return
        self._size += len(data)
        if self._size > self._limit:
            self._pieces = None
            self._done(TooLarge(self._limit))
        else:
            self._pieces.append(data)

    def end(self) -> None:
        if self._pieces is not None:
            self._done(b"".join(self._pieces))

    def gone(self, why: str) -> None:
        self._pieces = None
