"""What the processes of a group use, read from ``/proc``; Linux only."""

import os
from pathlib import Path

from knlite.runtime.port import Usage
from knlite.runtime.process.group import members

PROC = Path("/proc")


def used(group: int) -> Usage | None:
    """Processor time and resident memory of *group*; None where there is no ``/proc``."""
    if not (PROC / "self/stat").exists():
        return None
    ticks = pages = 0
    for pid in members(group):
        try:
            stat = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # Has ended while we looked.
        # Counted after the program's name, which may contain anything: utime, stime and what
        # ended children used are fields 14 to 17, resident pages field 24 (proc(5)).
        fields = stat.rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))
        pages += int(fields[21])
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE"))
