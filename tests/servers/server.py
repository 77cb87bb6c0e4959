"""A server that tests talk to: started by them, or one that was there before."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.executable import left_to_nobody, wait_until

GOODBYE = 30.0
"""Seconds that a server has for stopping in good order."""


def answered(port: int, request: bytes, host: str = "127.0.0.1") -> bytes:
    """The first bytes of what is answered; empty when nobody does."""
    try:
        with socket.create_connection((host, port), 2) as connection:
            connection.sendall(request)
            return connection.recv(16)
    except OSError:
        return b""


class Server:
    """One that can be taken away and come back; what it keeps it keeps in its folder."""

    def __init__(self, name: str, folder: Path | None) -> None:
        self.name = name
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_own(self) -> bool:
        """Whether the tests have started it, and may stop it."""
        return self._folder is not None

    @property
    def folder(self) -> Path:
        """Where everything of it is; skips the test if the server is not the tests' own."""
        if self._folder is None:
            pytest.skip(f"this {self.name} was there before; the test would have to stop it")
        return self._folder

    @property
    def data(self) -> Path:
        """What it keeps."""
        return self.folder / "data"

    def command(self) -> tuple[list[str], dict[str, str]]:
        """What starts it, and the environment for that."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether it takes requests."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it; returns when it answers."""
        command, environment = self.command()
        log = self.folder / "output"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env={**os.environ, **environment},
            )
        left_to_nobody(self._process)

        def ready() -> bool:
            assert self._process is not None
            if self._process.poll() is not None:
                pytest.fail(f"{self.name} does not start:\n{log.read_text()[-4000:]}")
            return self.answers()

        wait_until(ready, f"{self.name} to answer")

    def stop(self) -> None:
        """Stop it in good order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Stop it as a crash would."""
        self._end(signal.SIGKILL)

    @contextmanager
    def halted(self) -> Iterator[None]:
        """It does nothing for a while, and its connections stay open."""
        assert self.folder
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        # The signal stops one thread after the other.
        threads = Path(f"/proc/{self._process.pid}/task")
        if threads.exists():
            wait_until(
                lambda: all(_state(each) == "T" for each in threads.iterdir()),
                f"{self.name} to stand still",
            )
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """Stop it, and forget what it has kept."""
        self.stop()
        shutil.rmtree(self.data, ignore_errors=True)

    def restart(self) -> None:
        """Away and back, with what it has kept."""
        self.stop()
        self.start()

    def _end(self, with_signal: int) -> None:
        assert self.folder
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(with_signal)
        try:
            process.wait(GOODBYE)
        except subprocess.TimeoutExpired:
            process.kill()
        process.wait()


def _state(thread: Path) -> str:
    """The letter that Linux has for what a thread does; "T" is stopped (proc(5))."""
    return (thread / "stat").read_text().rpartition(")")[2].split()[0]
