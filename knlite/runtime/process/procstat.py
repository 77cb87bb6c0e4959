"""What Linux says of a process in one line, ``/proc/PID/stat`` (proc(5))."""

from pathlib import Path

PROC = Path("/proc")


def stat_of(pid: int) -> list[str] | None:
    """The fields after the program's name, its state first; None if there is no such process."""
    try:
        stat = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The second field, the name in parentheses, may hold anything.
    return stat.rpartition(")")[2].split()
