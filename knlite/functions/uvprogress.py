"""How far an installation is, by the lines that ``uv`` prints.

Without a terminal it prints one line after each of its phases, and one for each large download.
"""

import re

PHASES = (("Resolved ", 0.1), ("Prepared ", 0.7), ("Installed ", 0.9), ("Bytecode compiled ", 1.0))
"""Beginnings of lines, and how much is done then. What is fetched takes most of the time."""

_PROGRESS = re.compile(
    r"(?:Resolved|Prepared|Installed|Uninstalled|Audited|Bytecode compiled|Downloading|Downloaded"
    r"|Building|Built|Using|Updating|Updated) | [+~-] "
)


def share(line: str) -> float | None:
    """How much is done when *line* has been printed, if it tells."""
    return next((done for beginning, done in PHASES if line.startswith(beginning)), None)


def without_progress(printed: str) -> str:
    """What *printed* says otherwise: what is wrong."""
    lines = printed.splitlines(keepends=True)
    return "".join(line for line in lines if not _PROGRESS.match(line))
