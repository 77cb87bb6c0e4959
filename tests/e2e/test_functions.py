"""A function's whole life on the command line: create, deploy, invoke, edit, subscribe, run.

Source: Knative Functions reference §4.3 to §4.6.
"""

import base64
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.executable import PATIENCE, Knlite, free_port, left_to_nobody, running, wait_until

pytestmark = pytest.mark.e2e

BROKER = "apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: {name: default}\n"
FIRST, SECOND = "first version", "second version"
CODE = """\
def new():
    return Function()


class Function:
    async def handle(self, scope, receive, send):
        print("was asked", flush=True)
        await send(
            {{"type": "http.response.start", "status": 200, "headers": [(b"x-test", b"1")]}}
        )
        await send({{"type": "http.response.body", "body": b"{text}\\n\\xff"}})
"""


class Author:
    """Somebody at a terminal, in the folder of a function."""

    def __init__(self, folder: Path, admin_port: int) -> None:
        self.folder = folder
        self.environ = {
            **os.environ,
            "KNLITE_ADMIN_PORT": str(admin_port),
            "KNLITE_RUNTIME": "process",
            "XDG_CONFIG_HOME": str(folder.parent),
        }

    def func(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[bytes]:
        """What a verb of ``func`` comes to, which has to end with *code*."""
        where = self.folder if self.folder.exists() else self.folder.parent
        done = subprocess.run(
            [sys.executable, "-m", "knlite", "func", *arguments],
            capture_output=True,
            cwd=where,
            env=self.environ,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == code, done.stderr.decode()
        return done

    def writes(self, text: str) -> None:
        """Save the function's code."""
        (self.folder / "function" / "func.py").write_text(CODE.format(text=text))


@pytest.fixture
def author(tmp_path: Path) -> Author:
    author = Author(tmp_path / "hello", free_port())
    author.func("create", "-l", "python", "hello")
    # Without dependencies there is nothing to install.
    project = author.folder / "pyproject.toml"
    lines = project.read_text().splitlines()
    (author.folder / "pyproject.toml").write_text("\n".join(_without_dependencies(lines)) + "\n")
    author.writes(FIRST)
    return author


def _without_dependencies(lines: list[str]) -> list[str]:
    inside, kept = False, []
    for line in lines:
        inside = inside or line.startswith("dependencies")
        if not inside:
            kept.append(line)
        inside = inside and not line.rstrip().endswith("]")
    return kept


def served(knlite: Knlite, author: Author) -> str:
    """The answer that ``func invoke`` prints."""
    author.environ["KNLITE_ADMIN_PORT"] = str(knlite.admin_port)
    out = author.func("invoke").stdout
    # Bytes that are no text come through as they are.
    assert out.endswith(b"\n\xff")
    return out.decode(errors="replace").splitlines()[0]


def started_cold(knlite: Knlite) -> dict[str, Any] | None:
    """What ``knlite invoke --json`` tells of a cold start; None if it met a warm instance."""
    knlite.admin.post("/knlite/services/default/hello/rest")
    told = knlite.shown("invoke", "hello", "-d", "x", "-H", "X-Y: z", "--json")
    asked: dict[str, Any] = json.loads(told)
    return asked if asked["coldStart"] else None


def test_a_function_is_created_deployed_changed_and_subscribed(
    author: Author, tmp_path: Path
) -> None:
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    (manifests / "broker.yaml").write_text(BROKER)
    author.func("deploy", code=4)  # Nothing to deploy to.
    with running(manifests) as knlite:
        author.environ["KNLITE_ADMIN_PORT"] = str(knlite.admin_port)
        said = author.func("deploy").stderr.decode()
        url = f"http://hello.default.localhost:{knlite.port}"
        assert "🙌 Function built: knlite.local/hello:latest" in said
        assert f'Function deployed in namespace "default" and exposed at URL: \n   {url}' in said
        assert served(knlite, author) == FIRST
        text = (author.folder / "func.yaml").read_text()
        assert "deploy:\n  namespace: default\n  image: knlite.local/hello:latest\n" in text

        # A deployed revision is what was there when it was deployed.
        author.writes(SECOND)
        assert served(knlite, author) == FIRST
        again = author.func("deploy", "--json", "-e", "COLOR=red")
        told = json.loads(again.stdout)
        assert (told["url"], told["revision"]) == (url, "hello-00002")
        assert served(knlite, author) == SECOND
        said = author.func("deploy").stderr.decode()
        assert "function up-to-date" in said
        assert 'Function updated in namespace "default"' in said

        path = "/apis/eventing.knative.dev/v1/namespaces/default/triggers"
        author.func("subscribe", "--filter", "type=order.sent")
        author.func("deploy")
        (trigger,) = knlite.object(path)["items"]
        assert trigger["metadata"]["name"] == "hello-function-trigger-0"
        assert trigger["spec"]["filter"] == {"attributes": {"type": "order.sent"}}

        order = ("--to", "broker/default", "--type", "order.sent", "-d", "{}")
        assert json.loads(knlite.shown("invoke", *order, "--json"))["status"] == 202
        wait_until(lambda: len(knlite.logged("hello", "was asked")) >= 4, "the event")
        assert b"was asked" in author.func("logs", "--no-follow").stdout

        asked = wait_until(lambda: started_cold(knlite), "a cold start")
        assert (asked["status"], asked["method"]) == (200, "POST")
        assert base64.b64decode(asked["bodyBase64"]).startswith(SECOND.encode())
        assert asked["coldStart"].keys() == {"queue", "start", "ready", "app"}
        assert sum(asked["coldStart"].values()) <= asked["seconds"]["total"] + 0.001

        # What it needs has to be there, and where it was it is no more.
        author.func("deploy", "-e", "TOKEN={{ secret:tokens:one }}", code=1)
        author.func("deploy", "-n", "knative-eventing")
        services = "/apis/serving.knative.dev/v1/namespaces/{}/services/hello"
        assert knlite.admin.get(services.format("default")).status_code == 404
        told = json.loads(author.func("describe", "-o", "json").stdout)
        assert (told["name"], told["namespace"]) == ("hello", "knative-eventing")
        author.func("delete")
        assert knlite.admin.get(services.format("knative-eventing")).status_code == 404
        assert "\n  namespace:" not in (author.folder / "func.yaml").read_text()


def test_a_function_that_runs_alone_is_invoked_and_runs_what_is_saved(author: Author) -> None:
    port = free_port()
    run = subprocess.Popen(
        [sys.executable, "-m", "knlite", "func", "run", "--address", f"127.0.0.1:{port}"],
        cwd=author.folder,
        env=author.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    left_to_nobody(run)
    runs = author.folder / ".func" / "runs"
    try:
        wait_until(lambda: (runs / str(port)).is_dir() or run.poll() is not None, "the run")
        assert run.poll() is None
        assert author.func("invoke", "-v").stdout.startswith(FIRST.encode())
        author.writes(SECOND)
        wait_until(
            lambda: author.func("invoke").stdout.startswith(SECOND.encode()), "what was saved"
        )
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=PATIENCE)
    finally:
        run.kill()
    assert run.returncode == 0
    assert b"was asked" in out
    assert f"Function running on 127.0.0.1:{port}".encode() in err
    assert not list(runs.iterdir())
    author.func("invoke", "--target", "local", code=3)
