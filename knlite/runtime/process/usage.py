"""What the processes of a group use, read from ``/proc``; Linux only."""

import os

from knlite.runtime.port import Usage
from knlite.runtime.process.group import members
from knlite.runtime.process.procstat import PROC, stat_of


def used(group: int) -> Usage | None:
    """Processor time and memory of *group*; None where there is no ``/proc``.

    Of memory that several processes share each has its part, so that those forked from one parent
    are not counted as if each had all of it.
    """
    if not (PROC / "self/stat").exists():
        return None
    ticks = memory = 0
    for pid in members(group):
        fields = stat_of(pid)
        if fields is None:
            continue  # Has ended while we looked.
        # utime, stime and what ended children used are fields 14 to 17, resident pages field 24.
        ticks += sum(map(int, fields[11:15]))
        part = proportional(pid)
        memory += int(fields[21]) * os.sysconf("SC_PAGE_SIZE") if part is None else part
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), memory)


def proportional(pid: int) -> int | None:
    """Bytes that *pid* holds, with its part of what it shares; None if the kernel does not say."""
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None  # Another user's, or a kernel before 4.14.
    found = next((line.split()[1] for line in lines if line.startswith("Pss:")), None)
    return None if found is None else int(found) * 1024
