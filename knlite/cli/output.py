"""Standard output that never makes the run wait for whoever reads it.

A terminal that is stopped (Ctrl-S), a pager that waits, a pipe that nobody reads: none of them may
stop requests. A thread writes; what it cannot get rid of is kept up to a bound, and then counted
instead. When nobody can read any more (a closed pipe), the run ends, as programs in a pipe do.
"""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable

LIMIT = 16 * 1024 * 1024
"""Bytes that are kept for a reader who is slow."""
LEAVE = 1.0
"""Seconds that the reader gets at the end, after which what is left is given up."""


class Output:
    """A text file for *descriptor*, as far as ``rich`` and ``print`` need one.

    *left_out* words how many writes were given up, in a line of its own where they are missing.
    """

    encoding = "utf-8"

    def __init__(
        self, descriptor: int, left_out: Callable[[int], str], *, limit: int = LIMIT
    ) -> None:
        self._descriptor = descriptor
        self._left_out = left_out
        self._limit = limit
        self._kept: deque[bytes] = deque()
        self._size = 0
        self._missing = 0
        self._closing = False
        self._changed = threading.Condition()
        # Whoever is stuck in a write when the run ends must not hold up its end.
        self._thread = threading.Thread(target=self._write_all, name="output", daemon=True)
        self._thread.start()

    def write(self, text: str) -> int:
        """Have *text* written, soon; returns its length."""
        data = text.encode(errors="replace")
        with self._changed:
            if self._size + len(data) > self._limit:
                self._missing += 1
            else:
                if self._missing:
                    self._keep(self._words())
                self._keep(data)
                self._changed.notify()
        return len(text)

    def flush(self) -> None:
        """Nothing to do: all is written as soon as it can be."""

    def isatty(self) -> bool:
        """Whether a person looks at it."""
        return os.isatty(self._descriptor)

    def fileno(self) -> int:
        """Where it goes, for the width of the terminal."""
        return self._descriptor

    def close(self) -> None:
        """Write what is left, unless nobody takes it for ``LEAVE`` seconds."""
        with self._changed:
            if self._missing:
                self._keep(self._words())
            self._closing = True
            self._changed.notify()
        self._thread.join(LEAVE)

    def _keep(self, data: bytes) -> None:
        self._kept.append(data)
        self._size += len(data)

    def _words(self) -> bytes:
        missing, self._missing = self._missing, 0
        return f"{self._left_out(missing)}\n".encode()

    def _write_all(self) -> None:
        while (data := self._next()) is not None:
            rest = memoryview(data)
            try:
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
            except OSError:
                self._give_up()
                return

    def _next(self) -> bytes | None:
        """All that is kept; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._kept or self._closing)
            if not self._kept:
                return None
            data = b"".join(self._kept)
            self._kept.clear()
            self._size = 0
            return data

    def _give_up(self) -> None:
        with self._changed:
            self._limit = -1
            self._kept.clear()
            ends_anyway = self._closing
        if not ends_anyway:
            os.kill(os.getpid(), signal.SIGTERM)
