"""How many files the process may open: a request takes two sockets, and systems allow few.

Many systems start programs with 1,024 and let each take more; a gateway does, as Go's programs do
by themselves.
"""

import resource
from contextlib import suppress

WANTED = 65_536
"""Enough for the connections that a gateway takes (``wire/limits.py``), and their other halves."""


def allow_open_files() -> int:
    """Take as many as are wanted, or as can be had; returns how many that are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    # Some systems allow fewer than they say.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
