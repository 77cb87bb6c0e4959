"""The real command line clients, pointed at a run, each with a home and a cache of its own.

A cache that is shared between runs would remember the names of one server for another one that
happens to listen on the same port.
"""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.executable import EXAMPLES, PATIENCE, Knlite, wait_until
from tests.required import program as required

HELLO = shlex.join((sys.executable, "-u", str(EXAMPLES / "hello-python" / "app.py")))
"""Greets the ``TARGET`` of its environment, and writes a line for every request."""
PROXIES = ("http_proxy", "https_proxy", "all_proxy")


@dataclass(frozen=True, slots=True)
class Client:
    """``kubectl`` or ``kn``."""

    program: str
    environment: dict[str, str]

    def __call__(self, *arguments: str, stdin: str = "") -> str:
        """What it prints when it is content."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, f"{shlex.join(done.args)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def refused(self, *arguments: str, stdin: str = "") -> str:
        """What it says when it is not."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 1, f"{shlex.join(done.args)}\n{done.stdout}\n{done.stderr}"
        return done.stderr

    def object(self, *arguments: str) -> dict[str, Any]:
        """An object, or a list of them, as JSON."""
        return dict(json.loads(self("get", *arguments, "-o", "json")))

    def run(self, *arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """Run it to its end."""
        return subprocess.run(
            [self.program, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=self.environment,
            timeout=2 * PATIENCE,
            check=False,
        )

    @contextmanager
    def following(self, *arguments: str) -> Iterator["Following"]:
        """Let it run, and read what it prints as it comes."""
        process = subprocess.Popen(
            [self.program, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.environment,
        )
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        try:
            yield Following(process)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


class Following:
    """What a client that runs on has printed."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self._text = b""

    @property
    def lines(self) -> list[str]:
        """Whole lines, the oldest first."""
        assert self._process.stdout is not None
        self._text += self._process.stdout.read() or b""
        return self._text.decode().rpartition("\n")[0].splitlines()

    def until(self, text: str) -> list[str]:
        """All lines, once one of them holds *text*."""
        wait_until(
            lambda: any(text in line for line in self.lines), f"{text!r} in {self._text.decode()}"
        )
        return self.lines


def client(program: str, knlite: Knlite, home: Path) -> Client:
    """A client for *knlite*; skips where *program* is missing."""
    found = required(program)
    home.mkdir(exist_ok=True)
    kubeconfig = home / "kubeconfig"
    kubeconfig.write_text(kubeconfig_of(knlite))
    environment = {name: os.environ[name] for name in os.environ if name.lower() not in PROXIES}
    environment |= {
        "HOME": str(home),
        "KUBECACHEDIR": str(home / "cache"),
        "KUBECONFIG": str(kubeconfig),
    }
    return Client(found, environment)


def apply(kubectl: Client, *objects: dict[str, Any], options: tuple[str, ...] = ()) -> str:
    """What ``kubectl apply`` says of *objects*."""
    return kubectl("apply", "-f", "-", *options, stdin="\n---\n".join(map(json.dumps, objects)))


def ready(kubectl: Client, name: str) -> str:
    """What ``kubectl wait`` says once the Service *name* is ready."""
    return kubectl("wait", "--for=condition=Ready", f"ksvc/{name}", "--timeout=60s")


def kubeconfig_of(knlite: Knlite) -> str:
    """What ``knlite kubeconfig`` gives for the run."""
    done = subprocess.run(
        [sys.executable, "-m", "knlite", "kubeconfig", "--admin-port", str(knlite.admin_port)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def service(name: str, target: str = "World", **spec: object) -> dict[str, Any]:
    """A Service that greets *target*; *spec* is added to that of its revisions."""
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {
            "template": {
                "metadata": {"annotations": {"knlite.dev/command": HELLO}},
                "spec": {
                    "containers": [
                        {
                            "image": "example.com/hello",
                            "env": [{"name": "TARGET", "value": target}],
                        }
                    ],
                    **spec,
                },
            }
        },
    }
