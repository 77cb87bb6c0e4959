r"""Marks that a function's runner puts before the lines that it writes.

A line that is written for a request is ``\x1eREQUEST-ID\x1eTEXT``; one of the sentence why the
function cannot start is ``\x1e!\x1eTEXT``. Runners mark lines where ``KNLITE_LOG_MARKS`` is 1; a
line that only begins like one (JSON text sequences use the same character) is left as it is.

Not here: writing them (``runners/knlite_streams.py``, ``runners/knlite_loading.py``).
"""

import re
from collections.abc import Iterable

VERDICT = "!"

_MARKED = re.compile("\x1e([!-~]{1,128})\x1e")


def split(line: str) -> tuple[str, str]:
    """The id of the request that wrote *line*, empty if none did, and what it wrote."""
    mark, text = _parted(line)
    return "" if mark == VERDICT else mark, text


def last_words(lines: Iterable[str]) -> list[str]:
    """Of the *lines* that ended a log what a person wants to read, without their marks.

    That is the sentence why the function cannot start, if there is one, else all of them.
    """
    parted = [_parted(line) for line in lines]
    said = [text for mark, text in parted if mark == VERDICT]
    return said or [text for _, text in parted]


def _parted(line: str) -> tuple[str, str]:
    if not line.startswith("\x1e"):
        return "", line
    found = _MARKED.match(line)
    return (found[1], line[found.end() :]) if found else ("", line)
