"""The end of a log, which stands in for a termination message that nobody has left.

Source: Kubernetes ``terminationMessagePolicy: FallbackToLogsOnError``, whose bounds these are.
"""

from collections import deque
from collections.abc import Iterable
from typing import Literal

from knlite.functions import logmark
from knlite.runtime.port import Log

LINES = 80
BYTES = 2048


def ending(lines: Iterable[str]) -> str:
    """The last of *lines*, cut at the front."""
    whole = "\n".join(lines).encode()
    return whole[-BYTES:].decode(errors="ignore")


class LastWords:
    """A log that remembers its end and hands everything on."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._lines: deque[str] = deque(maxlen=LINES)

    def __call__(self, stream: Literal["stdout", "stderr"], line: str) -> None:
        """Take one line."""
        self._lines.append(line)
        self._log(stream, line)

    def text(self) -> str:
        """The last lines, cut at the front."""
        return ending(logmark.last_words(self._lines))
