"""Who belongs to a process group, and whether anybody of it still runs.

A zombie does not run: it waits for its parent, after an orphaning that is the machine's init,
which may take its time or, in a container, not exist.
"""

import os
from pathlib import Path

PROC = Path("/proc")


def members(group: int) -> tuple[int, ...]:
    """The processes of *group* that run; empty where there is no ``/proc``."""
    found: list[int] = []
    for directory in PROC.glob("[0-9]*"):
        try:
            stat = (directory / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        # The second field, the name in parentheses, may hold anything.
        state, _, of_group = stat.rpartition(")")[2].split()[:3]
        if int(of_group) == group and state not in ("Z", "X"):
            found.append(int(directory.name))
    return tuple(found)


def gone(group: int) -> bool:
    """Whether nobody of *group* runs."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return True  # What macOS says of a group of zombies.
    return PROC.joinpath("self/stat").exists() and not members(group)
