"""A program that has just been started: its number, its output, and how its end is noticed.

Whoever reads of the end acts before the number is given back: until *ended* has returned, the
process number, and with it the group's, belongs to nobody else.
"""

import asyncio
import os
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Protocol

from knlite.errors import InstanceFailed


class Started(Protocol):
    """The first process of a program; it leads a process group of its own."""

    @property
    def pid(self) -> int:
        """Its number, and its group's."""
        ...

    @property
    def stdout(self) -> IO[bytes] | None:
        """What it writes, as a raw file that gives what is there."""
        ...

    @property
    def stderr(self) -> IO[bytes] | None:
        """As ``stdout``."""
        ...

    @property
    def returncode(self) -> int | None:
        """Its exit code (-n when killed by signal n) once it has ended and that has been read."""
        ...

    def watch(self, ended: Callable[[], None], reaped: Callable[[], None]) -> None:
        """Call *ended* when the program has ended and its number is still its own; then *reaped*,
        when ``returncode`` is known."""
        ...


class Spawned:
    """A child of this process, started from its file."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid
        self.stdout: IO[bytes] | None = process.stdout
        self.stderr: IO[bytes] | None = process.stderr

    @property
    def returncode(self) -> int | None:
        """Its exit code, once it has been reaped."""
        return self._process.returncode

    def watch(self, ended: Callable[[], None], reaped: Callable[[], None]) -> None:
        """See ``Started``."""
        loop = asyncio.get_running_loop()
        if not hasattr(os, "pidfd_open"):
            threading.Thread(target=self._reap, args=(loop, ended, reaped), daemon=True).start()
            return
        descriptor = os.pidfd_open(self.pid)

        def over() -> None:
            loop.remove_reader(descriptor)
            os.close(descriptor)
            ended()
            self._process.wait()
            reaped()

        loop.add_reader(descriptor, over)

    def _reap(
        self,
        loop: asyncio.AbstractEventLoop,
        ended: Callable[[], None],
        reaped: Callable[[], None],
    ) -> None:
        self._process.wait()
        ended()  # Where there is no pidfd, the number may be free by now.
        loop.call_soon_threadsafe(reaped)


def spawn(
    words: list[str],
    folder: Path,
    env: Mapping[str, str],
    *,
    user: int | None = None,
    group: int | None = None,
) -> Spawned:
    """Start *words* in *folder* as leader of a new group. Raises ``InstanceFailed``.

    Only root can start it as another *user* or *group*.
    Returns when the program has been loaded (about a millisecond: without a ``preexec_fn`` the
    interpreter uses vfork, which does not copy this process).
    """
    try:
        process = subprocess.Popen(
            words,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            bufsize=0,
            user=user,
            group=group,
            # Else it would keep knlite's own groups.
            extra_groups=None if user is None else (),
        )
    except (OSError, ValueError) as error:
        raise InstanceFailed(
            "StartError",
            f"{words[0]} cannot be started",
            cause=str(error),
            fix=f"check that it is installed and executable, seen from {folder}",
        ) from error
    return Spawned(process)
