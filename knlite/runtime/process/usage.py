"""What the processes of a group use, read from ``/proc``; Linux only."""

import os
from pathlib import Path

from knlite.runtime.port import Usage
from knlite.runtime.process.group import members

PROC = Path("/proc")


def used(group: int) -> Usage | None:
    """Processor time and memory of *group*; None where there is no ``/proc``.

    Of memory that several processes share each has its part, so that those forked from one parent
    are not counted as if each had all of it.
    """
    if not (PROC / "self/stat").exists():
        return None
    ticks = memory = 0
    for pid in members(group):
        try:
            stat = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # Has ended while we looked.
        # Counted after the program's name, which may contain anything: utime, stime and what
        # ended children used are fields 14 to 17, resident pages field 24 (proc(5)).
        fields = stat.rpartition(")")[2].split()
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
