"""What the processes of a group use, read from ``/proc``; Linux only."""

import os
from pathlib import Path

from knlite.runtime.port import Usage
from knlite.runtime.process.group import members

PROC = Path("/proc")


def used(group: int, *, shares: bool = False) -> Usage | None:
    """Processor time and resident memory of *group*; None where there is no ``/proc``.

    With *shares*, of memory that it has in common with other processes only its part counts.
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
        part = proportional(pid) if shares else None
        memory += int(fields[21]) * os.sysconf("SC_PAGE_SIZE") if part is None else part
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), memory)


def proportional(pid: int) -> int | None:
    """Bytes of memory that *pid* holds, of shared ones its part; None if that is not known."""
    try:
        rollup = (PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return None
    return 1024 * sum(
        int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")
    )
