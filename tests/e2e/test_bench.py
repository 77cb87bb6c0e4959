"""``knlite bench`` on a running knlite."""

import json
import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.clients import HELLO
from tests.e2e.executable import PATIENCE, ROOT, Knlite, wait_until

pytestmark = pytest.mark.e2e

SERVICES = """apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: quick}}
spec:
  template:
    metadata: {{annotations: {{knlite.dev/command: {hello}}}}}
    spec: {{containers: [{{image: example.com/hello}}]}}
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: kept}}
spec:
  template:
    metadata:
      annotations: {{knlite.dev/command: {hello}, autoscaling.knative.dev/min-scale: "1"}}
    spec: {{containers: [{{image: example.com/hello}}]}}
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: slow}}
spec:
  template:
    metadata: {{annotations: {{knlite.dev/command: {slow}}}}}
    spec: {{containers: [{{image: example.com/slow}}]}}
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: broken}}
spec:
  template:
    metadata: {{annotations: {{knlite.dev/command: "false"}}}}
    spec: {{containers: [{{image: example.com/broken}}]}}
"""
SLOW = """import os, time
from http.server import BaseHTTPRequestHandler, HTTPServer

class Slow(BaseHTTPRequestHandler):
    def do_GET(self):
        while not os.path.exists("go"):
            time.sleep(0.02)
        self.send_response(204)
        self.end_headers()

HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Slow).serve_forever()
"""


def bench(run: Knlite, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "knlite", "bench", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "KNLITE_ADMIN_PORT": str(run.admin_port)},
        timeout=2 * PATIENCE,
        check=False,
    )


def rest(run: Knlite, service: str) -> str:
    """What is said of bringing it to zero."""
    return run.admin.post(f"/knlite/services/default/{service}/rest").text


def test_a_service_is_measured_from_zero_and_warm(
    up: Callable[..., Knlite], tmp_path: Path
) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    slow = shlex.join((sys.executable, "slow.py"))
    (tmp_path / "services.yaml").write_text(
        SERVICES.format(hello=json.dumps(HELLO), slow=json.dumps(slow))
    )
    run = up(tmp_path, "--runtime", "process").settled()

    png = tmp_path / "quick.png"
    done = bench(run, "quick", "--cold", "3", "--warm", "50", "--json", "--png", str(png))
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["runtime"], document["idle"]) == ("process", "remove")
    cold, warm = document["cold"], document["warm"]
    assert (cold["count"], cold["how"]) == (3, {"spawned": 3})
    assert list(cold["stages"]) == ["queue", "start", "ready", "app"]
    assert cold["p50"] >= cold["stages"]["ready"]["min"] > 0
    assert (warm["count"], warm["failed"]) == (50, 0)
    assert png.read_bytes().startswith(b"\x89PNG")
    # Each start was one from nothing, after the last instance had ended.
    started = run.seen("InstanceChanged", service="quick", state="started")
    assert len(started) == 1 + 1 + 3

    kept = bench(run, "kept", "--warm", "20")
    assert kept.returncode == 0
    assert "min-scale is 1" in kept.stdout
    assert "20 answers" in kept.stdout
    assert bench(run, "kept", "--warm", "0").returncode == 1
    assert bench(run, "nothing").returncode == 3
    broken = bench(run, "broken")
    assert broken.returncode == 1
    assert "broken is not ready" in broken.stderr

    held = threading.Thread(target=run.get, args=("slow.default",))
    held.start()
    try:
        wait_until(lambda: "1 request" in rest(run, "slow"), "the request is under way")
        refused = bench(run, "slow")
    finally:
        (tmp_path / "go").touch()
        held.join()
    assert refused.returncode == 1
    assert "somebody else" in refused.stderr
