"""Whose a container is, and whether its owner still lives.

Every container carries the identity of the knlite process that started it. A later run removes
those whose owner is certainly dead; what cannot be judged from here (another machine's process,
another container's) is left alone. A process id alone would not do: it is given again.
"""

import hashlib
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PREFIX = "knlite.dev"
OWNER = f"{PREFIX}/owner"
RUN = f"{PREFIX}/run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """One knlite process."""

    host: str
    boot: str
    """Differs after each boot of the machine; empty where the system has no such thing."""
    pid: int
    started: str
    """When the process started, in whatever form the system gives; empty if it is dead."""
    container: str = ""
    """The container that it runs in."""
    space: str = ""
    """The namespace in which *pid* is its number; empty where the system has no such thing."""

    @property
    def run(self) -> str:
        """A short name for this run."""
        return hashlib.sha256(self.encode().encode()).hexdigest()[:8]

    def encode(self) -> str:
        """The label's value."""
        return "|".join(
            (self.host, self.boot, str(self.pid), self.started, self.container, self.space)
        )


def decode_owner(text: str) -> Owner | None:
    """Read a label's value; None if it is not one of ours."""
    parts = text.split("|")
    if len(parts) not in (5, 6) or not parts[2].isdecimal():
        return None
    # Five, without the namespace, are of an earlier version of knlite.
    host, boot, pid, started, container, space = (*parts, "")[:6]
    return Owner(
        host=host, boot=boot, pid=int(pid), started=started, container=container, space=space
    )


def current_owner(pid: int, container: str | None = None) -> Owner:
    """The identity of process *pid* of this machine, as it is now. Blocks on macOS."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        boot = ""
    return Owner(
        host=socket.gethostname(),
        boot=boot,
        pid=pid,
        started=_start_of(pid),
        container=container or "",
        space=_space(),
    )


def certainly_dead(owner: Owner, me: Owner, now: Owner, running: Mapping[str, bool]) -> bool:
    """Whether *owner* has ended, as seen by *me*.

    *now* is what lives under the owner's process id here; *running* says which containers run.
    """
    if owner.container != me.container:
        return bool(owner.container) and not running.get(owner.container, False)
    if owner.host != me.host:
        return False
    if owner.boot != me.boot:
        return True
    # The number means another process in another namespace: two of them may have the number 1.
    return owner.space in ("", me.space) and owner.started != now.started


def _space() -> str:
    try:
        return str(Path("/proc/self/ns/pid").stat().st_ino)
    except OSError:
        return ""


def _start_of(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return ""
        ps = ("ps", "-o", "lstart=", "-p", str(pid))
        done = subprocess.run(ps, capture_output=True, text=True, check=False)
        return " ".join(done.stdout.split())
    # Field 22, counted after the program's name, which may contain blanks and parentheses.
    return stat.rpartition(")")[2].split()[19]
