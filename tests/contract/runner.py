"""A runner in a process of its own, as its contract tests start it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from knlite.functions.python import START

PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Runner:
    """One that listens."""

    process: "subprocess.Popen[str]"
    port: int


@contextmanager
def run_function(folder: Path, runner: str, *arguments: str) -> Iterator[Runner]:
    """Serve the function in *folder* until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-S", str(START), runner, str(folder), *arguments],
        env={**os.environ, "PORT": str(port), "LISTEN_ADDRESS": f"127.0.0.1:{port}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
        yield Runner(process, port)
    finally:
        process.kill()
        process.communicate()
