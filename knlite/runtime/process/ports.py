"""Free ports for instances, below the range from which the kernel picks ports for clients.

A port is not given again until all others have been, so a late packet for a stopped instance does
not reach a new one.
"""

import os
import socket

from knlite.errors import InstanceFailed

FIRST, LAST = 20000, 31999
"""Below Linux's ephemeral range (32768 and up) and macOS's (49152 and up)."""


class Ports:
    """Hands out ports one after the other; two knlites begin at different places."""

    def __init__(self) -> None:
        self._next = FIRST + os.getpid() * 97 % (LAST - FIRST + 1)

    def take(self) -> int:
        """A port on which nothing listens. Raises ``InstanceFailed``."""
        for _ in range(LAST - FIRST + 1):
            port = self._next
            self._next = port + 1 if port < LAST else FIRST
            if _free(port):
                return port
        raise InstanceFailed(
            "NoFreePort",
            f"no port from {FIRST} to {LAST} is free",
            fix="stop programs that listen there",
        )


def _free(port: int) -> bool:
    # All addresses, since what listens on all of them would answer in the instance's place.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True
