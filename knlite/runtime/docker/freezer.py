"""Freezing a container by its control group, without the engine.

The engine's own pause goes through three programs and takes some ten milliseconds each way; what it
does in the end is one write into this file system, which takes a tenth of one. It works only where
knlite sees the engine's control groups and may write there: on the engine's machine, as root.

Source: Linux, Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst and cgroup-v2.rst
(``cgroup.freeze``).
"""

import os
from dataclasses import dataclass
from pathlib import Path

from knlite.clock import SystemClock

ROOT = Path("/sys/fs/cgroup")
PROC = Path("/proc")
SETTLES_WITHIN = 0.2
"""Seconds that a group gets to be frozen; a process in an uninterruptible wait delays it."""
_LOOK_AGAIN = 0.001


@dataclass(frozen=True, slots=True)
class Freezer:
    """The control group of one container."""

    file: Path
    """What is written to."""
    frozen: str
    thawed: str
    state: Path
    """Where it says that it is frozen, and in which words."""
    done: str

    async def freeze(self) -> bool:
        """Freeze all of it; False, and it goes on, if that does not work.

        Reading and writing here takes microseconds, as no disk is behind it.
        """
        clock = SystemClock()
        due = clock.now() + SETTLES_WITHIN
        try:
            self.file.write_text(self.frozen)
            while self.done not in self.state.read_text().splitlines():
                if clock.now() > due:
                    self.thaw()
                    return False
                await clock.sleep_until(clock.now() + _LOOK_AGAIN)
        except OSError:
            self.thaw()  # It may have been told before nobody could say how it is.
            return False
        except BaseException:
            self.thaw()
            raise
        return True

    def thaw(self) -> bool:
        """Let it go on; False if that does not work. Takes microseconds."""
        try:
            self.file.write_text(self.thawed)
        except OSError:
            return False
        return True


def freezer_of(container: str, pid: int, *, root: Path = ROOT, proc: Path = PROC) -> Freezer | None:
    """That of the container with the id *container*, whose first process is *pid* here.

    None if there is none that can be used. A group that is not named after the container is not its
    own: freezing that might freeze the machine.
    """
    try:
        lines = (proc / str(pid) / "cgroup").read_text().splitlines()
    except OSError:
        return None
    for line in sorted(lines, reverse=True):
        _, controllers, path = line.split(":", 2)
        if container not in path.rpartition("/")[2]:
            continue
        if "freezer" in controllers.split(","):
            folder = root / "freezer" / path.lstrip("/")
            state = folder / "freezer.state"
            found = Freezer(state, "FROZEN", "THAWED", state, "FROZEN")
        elif not controllers:
            folder = root / path.lstrip("/")
            found = Freezer(
                folder / "cgroup.freeze", "1", "0", folder / "cgroup.events", "frozen 1"
            )
        else:
            continue
        if _holds(folder, pid) and os.access(found.file, os.W_OK):
            return found
    return None


def unusable(*, root: Path = ROOT) -> str:
    """Why control groups cannot be used from here; empty if they can, as far as can be seen."""
    group = root / "freezer"
    if not group.is_dir() and not (root / "cgroup.controllers").exists():
        return "there are no control groups at /sys/fs/cgroup"
    if not os.access(group if group.is_dir() else root, os.W_OK):
        return "this user may not write to /sys/fs/cgroup"
    return ""


def _holds(folder: Path, pid: int) -> bool:
    try:
        return str(pid) in (folder / "cgroup.procs").read_text().split()
    except OSError:
        return False
