"""Marks every process of a run, finds those whose run has ended, and ends those of a run.

The marker is an environment variable, so that descendants carry it too. It names the run, and its
process by id, start time and pid namespace: ids are used again, and another namespace's processes
cannot be judged from here.

Linux only; elsewhere nothing is found and the guard is alone.
"""

import os
import signal
from contextlib import suppress
from pathlib import Path

from knlite.runtime.process.procstat import PROC, stat_of

VARIABLE = "KNLITE_OWNER"


def marker(owner: str) -> str:
    """The marker's value for the run called *owner* in this process."""
    pid = os.getpid()
    return f"{owner}:{pid}:{_started(pid)}:{_namespace()}"


def sweep() -> tuple[str, ...]:
    """Kill the processes of runs that have ended; a word for each."""
    removed: list[str] = []
    for directory in PROC.glob("[0-9]*"):
        found = _marker_of(directory)
        if found is None or alive(found):
            continue
        try:
            os.kill(int(directory.name), signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue
        removed.append(f"process {directory.name} of run {found.partition(':')[0]}")
    return tuple(removed)


def end(own: str) -> None:
    """Kill the processes with the marker *own*: what has left the groups of its instances."""
    for directory in PROC.glob("[0-9]*"):
        if _marker_of(directory) == own:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(int(directory.name), signal.SIGKILL)


def _marker_of(directory: Path) -> str | None:
    try:
        environ = (directory / "environ").read_bytes()
    except OSError:
        return None  # Has ended, or is somebody else's.
    prefix = f"{VARIABLE}=".encode()
    for entry in environ.split(b"\0"):
        if entry.startswith(prefix):
            return entry.removeprefix(prefix).decode("utf-8", "replace")
    return None


def alive(found: str) -> bool:
    """Whether the run of the marker *found* has not ended, as far as that can be known here."""
    try:
        _, pid, started, namespace = found.rsplit(":", 3)
        if namespace != _namespace():
            return True
        return _started(int(pid)) == started
    except ValueError:
        return True  # Not a marker of ours.


def _started(pid: int) -> str:
    """Clock ticks from boot to the start of *pid*; empty when there is no such process."""
    fields = stat_of(pid)
    return "" if fields is None or fields[0] == "Z" else fields[19]


def _namespace() -> str:
    try:
        return str((PROC / "self/ns/pid").stat().st_ino)
    except OSError:
        return ""
