"""On which addresses a process group listens, read from ``/proc``.

Linux only; elsewhere the answer is None.
"""

import os
import socket
from pathlib import Path

from knlite.runtime.process.group import members
from knlite.serving.instance import Address

PROC = Path("/proc")
LISTEN = "0A"


def listening(group: int) -> tuple[Address, ...] | None:
    """The TCP addresses on which processes of *group* listen; None if that is not known."""
    if not (PROC / "net/tcp").exists():
        return None
    inodes = {inode for pid in members(group) for inode in _inodes(pid)}
    found = {
        address
        for table in ("tcp", "tcp6")
        for inode, address in _listeners(PROC / "net" / table)
        if inode in inodes
    }
    return tuple(sorted(found))


def _inodes(pid: int) -> list[str]:
    inodes: list[str] = []
    try:
        for link in (PROC / str(pid) / "fd").iterdir():
            target = os.readlink(link)
            if target.startswith("socket:["):
                inodes.append(target[8:-1])
    except OSError:
        pass  # Has ended while we looked.
    return inodes


def _listeners(table: Path) -> list[tuple[str, Address]]:
    try:
        lines = table.read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return []
    rows = [line.split() for line in lines]
    return [(row[9], _address(row[1])) for row in rows if row[3] == LISTEN]


def _address(text: str) -> Address:
    """The kernel's notation: words of four bytes in the machine's order, then the port."""
    host, _, port = text.partition(":")
    packed = b"".join(
        int(host[at : at + 8], 16).to_bytes(4, "little") for at in range(0, len(host), 8)
    )
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    return Address(socket.inet_ntop(family, packed), int(port, 16))
