"""Idle tiers on real programs: frozen, stopped, thawed, and asked at the very moment of it."""

import shlex
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.e2e.executable import Knlite, wait_until
from tests.e2e.served import RUNTIMES

pytestmark = pytest.mark.e2e

Up = Callable[..., Knlite]

SERVER = """
import os, time, uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SELF = uuid.uuid4().hex.encode()

class Says(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        time.sleep(0.005)
        self.send_response(200)
        self.send_header("Content-Length", str(len(SELF)))
        self.end_headers()
        self.wfile.write(SELF)
    def log_message(self, *args): pass

ThreadingHTTPServer(("", int(os.environ["PORT"])), Says).serve_forever()
"""
DOCKERFILE = """
FROM python:3.11-slim
COPY server.py /server.py
CMD ["python3", "-S", "/server.py"]
"""
SERVICE = """
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: {name}}}
spec:
  template:
    metadata:
      annotations:
        knlite.dev/idle: {tier}
{command}
    spec:
      containers: [{{image: knlite.test/idle:latest, imagePullPolicy: Never}}]
---
"""
AT_ONCE, ROUNDS = 12, 8


def laid_out(folder: Path, runtime: str) -> None:
    (folder / "server.py").write_text(SERVER)
    words = shlex.join([sys.executable, "-S", "server.py"])
    command = f"        knlite.dev/command: {words}" if runtime == "process" else ""
    if runtime == "docker":
        (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "services.yaml").write_text(
        "".join(
            SERVICE.format(name=name, tier=tier, command=command)
            for name, tier in (("cool", "freeze"), ("halted", "stop"))
        )
    )


def rest(knlite: Knlite, name: str) -> httpx.Response:
    return knlite.admin.post(f"/knlite/services/default/{name}/rest")


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_instances_at_zero_are_kept_as_their_template_says(
    up: Up, tmp_path: Path, runtime: str
) -> None:
    laid_out(tmp_path, runtime)
    knlite = up(tmp_path, "--runtime", runtime, "--memory", "1G").settled()
    names = ("cool", "halted")
    first = {name: knlite.get(f"{name}.default").text for name in names}

    for name in names:
        assert rest(knlite, name).status_code == 204
    shown = {line.split()[1]: line for line in knlite.shown("get").splitlines()}
    assert "0, 1 frozen" in shown["cool"]
    assert "0, 1 stopped" in shown["halted"]
    gauge = 'knlite_frozen_instances{k8s_namespace_name="default",kn_configuration_name="cool"'
    metrics = knlite.admin.get("/metrics").text
    assert [line[-3:] for line in metrics.splitlines() if line.startswith(gauge)] == ["1.0"]

    thawed, started = (knlite.get(f"{name}.default") for name in names)
    assert thawed.text == first["cool"], "the same program as before"
    assert "thaw;dur=" in thawed.headers["Server-Timing"]
    assert started.text != first["halted"], "another run of it"
    assert "start;" in started.headers["Server-Timing"]

    def ask(_: int) -> tuple[int, str]:
        answer = knlite.get("cool.default")
        return answer.status_code, answer.text

    with ThreadPoolExecutor(AT_ONCE) as pool:
        restarting = pool.submit(knlite.shown, "restart", "cool")
        while not restarting.done():
            assert {status for status, _ in pool.map(ask, range(4))} == {200}
        assert "restarted: 1 instance of cool-00001" in restarting.result()
        before, first["cool"] = first["cool"], knlite.get("cool.default").text
        assert first["cool"] != before, "a new one has taken its place"
        for _ in range(ROUNDS):
            # Most times it is refused, as there are requests; some fall into the freezing itself.
            resting = pool.submit(rest, knlite, "cool")
            answers = set(pool.map(ask, range(AT_ONCE)))
            assert answers == {(200, first["cool"])}
            assert resting.result().status_code in (204, 409)

    wait_until(lambda: rest(knlite, "cool").status_code == 204, "the last request to be over")
    if runtime == "process":
        pids = [fact["why"] for fact in knlite.seen("InstanceChanged", state="started")]
        knlite.stop(signal.SIGKILL)
        places = [Path("/proc", why.removeprefix("pid ")) for why in pids]
        wait_until(lambda: not any(map(running, places)), "frozen programs to end as well")


def running(process: Path) -> bool:
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
