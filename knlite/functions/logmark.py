r"""Marks that a function's runner puts before the lines that it writes for a request.

A marked line is ``\x1eREQUEST-ID\x1eTEXT``. Runners mark lines where ``KNLITE_LOG_MARKS`` is 1; a
line that only begins like one (JSON text sequences use the same character) is left as it is.

Not here: writing them (``runners/``).
"""

import re

_MARKED = re.compile("\x1e([!-~]{1,128})\x1e")


def split(line: str) -> tuple[str, str]:
    """The id of the request that wrote *line*, empty if none did, and what it wrote."""
    if not line.startswith("\x1e"):
        return "", line
    found = _MARKED.match(line)
    return (found[1], line[found.end() :]) if found else ("", line)
