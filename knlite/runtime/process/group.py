"""Who belongs to a process group, and whether anybody of it still runs.

A zombie does not run: it waits for its parent, after an orphaning that is the machine's init,
which may take its time or, in a container, not exist.
"""

import os

from knlite.runtime.process.procstat import PROC, stat_of


def members(group: int) -> tuple[int, ...]:
    """The processes of *group* that run; empty where there is no ``/proc``."""
    found: list[int] = []
    for directory in PROC.glob("[0-9]*"):
        pid = int(directory.name)
        fields = stat_of(pid)
        if fields and int(fields[2]) == group and fields[0] not in ("Z", "X"):
            found.append(pid)
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
