"""The real executable on real ports, and what its tests wait and ask for."""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
PATIENCE = 60.0
"""Seconds before a condition counts as never coming; a slow machine must not fail a test."""
COMPILING = 300.0
"""The same where Go may have to compile its whole library first."""


def wait_until(condition: Callable[[], object], what: str, patience: float = PATIENCE) -> Any:
    """The first true value of *condition*; fails the test when it does not come."""
    deadline = time.monotonic() + patience
    while not (value := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"waited {patience:g} s in vain: {what}")
        time.sleep(0.02)
    return value


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def left_to_nobody(process: "subprocess.Popen[Any]") -> None:
    """Have *process* killed when the tests end, if whoever started it could not end it."""
    atexit.register(process.kill)


class Knlite:
    """A running ``knlite up``, and what it has said so far."""

    def __init__(
        self,
        *arguments: str,
        env: dict[str, str] | None = None,
        ports: tuple[int, int] | None = None,
    ) -> None:
        """*ports* are those of the gateway and of the API; free ones unless told."""
        self.port, self.admin_port = ports or (free_port(), free_port())
        self.facts: list[dict[str, Any]] = []
        ports = ["--port", str(self.port), "--admin-port", str(self.admin_port)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "knlite", "up", *arguments, *ports, "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, **(env or {})},
        )
        left_to_nobody(self.process)
        self.stderr = ""
        self._threads = [
            threading.Thread(target=self._facts, daemon=True),
            threading.Thread(target=self._errors, daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            trust_env=False,
            timeout=PATIENCE,
            limits=httpx.Limits(max_connections=None),
        )
        self.admin = httpx.Client(
            base_url=f"http://127.0.0.1:{self.admin_port}", trust_env=False, timeout=PATIENCE
        )

    def answers(self) -> bool:
        """Whether the API answers by now."""
        assert self.process.poll() is None, self.stderr
        try:
            return self.admin.get("/version").status_code == 200
        except httpx.TransportError:
            return False

    def settled(self, patience: float = PATIENCE) -> "Knlite":
        """Wait until it has shown its table, or has ended."""
        wait_until(
            lambda: self.seen("Settled") or self.process.poll() is not None, "Settled", patience
        )
        assert self.process.poll() is None, self.stderr
        return self

    def seen(self, name: str, /, **fields: object) -> list[dict[str, Any]]:
        """All facts of that name with those fields."""
        return [
            fact
            for fact in tuple(self.facts)
            if fact["fact"] == name and all(fact.get(key) == fields[key] for key in fields)
        ]

    def get(self, service: str, path: str = "/", **options: Any) -> httpx.Response:
        """A request to ``NAME.NAMESPACE``."""
        return self.http.get(path, headers={"Host": f"{service}.localhost"}, **options)

    def logged(self, service: str, text: str) -> list[dict[str, Any]]:
        """The lines of *service* that hold *text*."""
        return [fact for fact in self.seen("LogLine", service=service) if text in fact["text"]]

    def object(self, path: str) -> dict[str, Any]:
        """An object by its API path."""
        answer = self.admin.get(path)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def ready(self, path: str) -> dict[str, Any]:
        """The Ready condition of an object; empty when there is none yet."""
        answer = self.admin.get(path)
        if answer.status_code != 200:
            return {}
        conditions = answer.json().get("status", {}).get("conditions", ())
        return next((each for each in conditions if each["type"] == "Ready"), {})

    def at_zero(self, namespace: str, service: str) -> bool:
        """Whether the service has had instances, and all of them are gone."""
        changes = self.seen("InstanceChanged", namespace=namespace, service=service)
        last = {fact["instance"]: fact["state"] for fact in changes}
        return bool(last) and set(last.values()) == {"gone"}

    def follows_files(self) -> bool | None:
        """Whether the kernel tells it of changed files; None where that cannot be seen."""
        opened = Path(f"/proc/{self.process.pid}/fd")
        if not opened.is_dir():
            return None
        found = set[str]()
        for each in opened.iterdir():
            with suppress(FileNotFoundError):  # Closed by now.
                found.add(os.readlink(each))
        return "anon_inode:inotify" in found

    def shown(self, *arguments: str) -> str:
        """What a verb of the command line prints."""
        environ = {**os.environ, "KNLITE_ADMIN_PORT": str(self.admin_port), "COLUMNS": "200"}
        return subprocess.run(
            [sys.executable, "-m", "knlite", *arguments],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=environ,
            timeout=PATIENCE,
            check=True,
        ).stdout

    def stop(self, with_signal: int = signal.SIGTERM) -> int:
        """End it and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        try:
            code = self.process.wait(PATIENCE)
        finally:
            self.process.kill()
        for thread in self._threads:
            thread.join(PATIENCE)
        self.http.close()
        self.admin.close()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        return code

    def _facts(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.facts.append(json.loads(line))

    def _errors(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.stderr += line


@contextmanager
def running(*arguments: str | Path, **options: Any) -> Iterator[Knlite]:
    """One that runs programs as processes, and whose API answers, until the block ends."""
    knlite = Knlite("--runtime", "process", *map(str, arguments), **options)
    try:
        wait_until(knlite.answers, "the API")
        yield knlite
    finally:
        knlite.stop()
