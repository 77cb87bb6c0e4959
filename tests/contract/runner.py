"""A runner in a process of its own, as its contract tests start and ask it."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from knlite.functions.python import START

PATIENCE = 60.0
"""Seconds before something counts as never coming; a slow machine must not fail a test."""


@dataclass(frozen=True, slots=True)
class Runner:
    """One that has been started."""

    process: "subprocess.Popen[str]"
    port: int

    def ask(
        self, path: str = "/", body: str | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, str]:
        """Status, headers and text of the answer to a GET, or with a *body* to a POST."""
        with closing(self.connected()) as connection:
            connection.request("GET" if body is None else "POST", path, body, headers or {})
            with connection.getresponse() as answer:
                return answer.status, answer.headers, answer.read().decode()

    def connected(self) -> http.client.HTTPConnection:
        """A connection to it."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def ended(self) -> tuple[str, str]:
        """What it has written to its output and its errors, once it has ended by itself."""
        return self.process.communicate(timeout=PATIENCE)

    def stopped(self) -> tuple[str, str]:
        """The same, after it was told to end, and has done so in good order."""
        self.process.terminate()
        out, err = self.ended()
        assert self.process.returncode == 0, err
        return out, err


@contextmanager
def starting(folder: Path, runner: str, *arguments: str, **env: str) -> Iterator[Runner]:
    """Start *runner* with the function in *folder*; it is killed when the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-S", str(START), runner, str(folder), *arguments],
        env={**os.environ, "PORT": str(port), "LISTEN_ADDRESS": f"127.0.0.1:{port}", **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Runner(process, port)
    finally:
        process.kill()
        process.communicate()


@contextmanager
def running(folder: Path, runner: str, *arguments: str, **env: str) -> Iterator[Runner]:
    """The same, once it listens."""
    with starting(folder, runner, *arguments, **env) as made:
        deadline = time.monotonic() + PATIENCE
        while not _listens(made.port):
            if made.process.poll() is not None:
                pytest.fail(f"it has ended: {made.ended()[1]}")
            if time.monotonic() > deadline:
                pytest.fail(f"it does not listen after {PATIENCE:g} s")
            time.sleep(0.005)
        yield made


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
