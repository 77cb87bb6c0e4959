"""Broken input: each mistake gives its clear message, and nothing hangs or is lost."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.executable import ROOT, Knlite, free_port, wait_until

pytestmark = pytest.mark.e2e

Up = Callable[..., Knlite]

SERVICE = """
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: {name}
spec:
  template:
    metadata:
      annotations:
        knlite.dev/command: {command}
    spec:
      containers:
        - image: example.com/{name}
"""


def service(folder: Path, command: str, name: str = "broken") -> None:
    (folder / f"{name}.yaml").write_text(SERVICE.format(name=name, command=command))


def refused(folder: Path) -> str:
    """What ``up`` says of manifests that it refuses."""
    done = subprocess.run(
        [sys.executable, "-m", "knlite", "up", str(folder), "--port", str(free_port())],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=ROOT,
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        pytest.param("a: [1\n", 2, "not valid YAML", id="malformed"),
        pytest.param(
            "apiVersion: v1\nkind: Nonsense\n", 2, 'no matches for kind "Nonsense"', id="kind"
        ),
        pytest.param(
            SERVICE.format(name="x", command="x") + "      timeoutSeconds: soon\n",
            14,
            "must be of type integer",
            id="wrong type",
        ),
        pytest.param(
            SERVICE.format(name="x", command="x").replace("image: example.com/x", "name: y"),
            13,
            "missing field(s): spec.template.spec.containers[0].image",
            id="no image",
        ),
        pytest.param(
            SERVICE.format(name="x", command="x") + "---" + SERVICE.format(name="x", command="x"),
            18,
            "Service default/x is already defined at",
            id="duplicate",
        ),
    ],
)
def test_a_mistake_in_a_manifest_is_named_with_file_and_line(
    tmp_path: Path, text: str, line: int, message: str
) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    said = refused(tmp_path)
    assert f"{tmp_path}/bad.yaml:{line}: " in said
    assert message in said


def test_the_mistakes_of_all_files_are_reported_together(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: [1\n")
    (tmp_path / "b.yaml").write_text("apiVersion: v1\nkind: Nonsense\n")
    said = refused(tmp_path)
    assert "a.yaml:2" in said
    assert "b.yaml:2" in said


def test_admission_is_reported_for_all_objects_before_anything_starts(tmp_path: Path) -> None:
    text = SERVICE.format(name="x", command="x")
    (tmp_path / "a.yaml").write_text(text.replace("image: example.com/x", "name: y"))
    (tmp_path / "b.yaml").write_text(
        "apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: t}\n"
        "spec: {broker: default}\n"
    )
    said = refused(tmp_path)
    assert "a.yaml:" in said
    assert "b.yaml:" in said
    assert "spec.subscriber" in said


def test_a_typo_in_set_is_named(tmp_path: Path) -> None:
    service(tmp_path, "sleep 60")
    done = subprocess.run(
        [sys.executable, "-m", "knlite", "up", str(tmp_path),
         "--set", "config-autoscaler.stable-windw=6s"],
        capture_output=True, text=True, check=False, timeout=60, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 2
    assert "did you mean stable-window?" in done.stderr


def test_a_port_that_is_taken_is_named(up: Up, tmp_path: Path) -> None:
    first = up("--runtime", "process").settled()
    service(tmp_path, "sleep 60")
    done = subprocess.run(
        [sys.executable, "-m", "knlite", "up", str(tmp_path), "--port", str(first.port)],
        capture_output=True, text=True, check=False, timeout=60, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 1
    assert str(first.port) in done.stderr
    assert "--port" in done.stderr


def test_a_program_that_ends_answers_the_held_request_with_what_it_said(
    up: Up, tmp_path: Path
) -> None:
    service(tmp_path, "sh -c 'echo no such table >&2; exit 3'")
    run = up(tmp_path, "--runtime", "process").settled()
    answer = run.get("broken.default")
    assert answer.status_code == 503
    assert "exit code 3" in answer.text
    assert "no such table" in answer.text
    ready = run.ready("/apis/serving.knative.dev/v1/namespaces/default/services/broken")
    assert ready["status"] == "False"
    assert "no such table" in ready["message"]


def test_the_next_request_after_a_failed_start_tries_again(up: Up, tmp_path: Path) -> None:
    app = ROOT / "examples/hello-python/app.py"
    service(tmp_path, f"sh -c 'test -e {tmp_path}/fixed && exec python3 {app}'")
    run = up(tmp_path, "--runtime", "process").settled()
    assert run.get("broken.default").status_code == 503
    (tmp_path / "fixed").touch()
    assert run.get("broken.default").text == "Hello World!\n"
    path = "/apis/serving.knative.dev/v1/namespaces/default/services/broken"
    wait_until(lambda: run.ready(path).get("status") == "True", "Ready after the repair")


def test_a_program_on_the_wrong_port_is_told_so(up: Up, tmp_path: Path) -> None:
    port = free_port()
    service(tmp_path, f"python3 -m http.server {port}")
    run = up(tmp_path, "--runtime", "process").settled()
    answer = run.get("broken.default")
    assert answer.status_code == 503
    assert f":{port}" in answer.text
    assert "PORT" in answer.text


@pytest.mark.docker
def test_an_image_that_nobody_has_is_named(up: Up, tmp_path: Path) -> None:
    text = SERVICE.format(name="absent", command="x")
    text = text.replace("        knlite.dev/command: x\n", "        x: y\n")
    (tmp_path / "absent.yaml").write_text(text + "          imagePullPolicy: Never\n")
    run = up(tmp_path, "--runtime", "docker").settled()
    answer = run.get("absent.default")
    assert answer.status_code == 503
    assert "example.com/absent" in answer.text


def test_a_trigger_for_a_missing_broker_says_so_and_recovers(up: Up, tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(
        "apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: t}\n"
        "spec: {broker: absent, subscriber: {uri: 'http://localhost:1/'}}\n"
    )
    run = up(tmp_path).settled()
    path = "/apis/eventing.knative.dev/v1/namespaces/default/triggers/t"
    ready = run.ready(path)
    assert ready["status"] == "False"
    assert 'Broker "absent" does not exist' in ready["message"]
    (tmp_path / "b.yaml").write_text(
        "apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: {name: absent}\n"
    )
    wait_until(lambda: run.ready(path).get("status") == "True", "the trigger ready")


def test_an_event_for_a_service_that_does_not_exist_yet_is_delivered_when_it_does(
    up: Up, tmp_path: Path
) -> None:
    (tmp_path / "broker.yaml").write_text(
        "apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: {name: default}\n---\n"
        "apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: t}\n"
        "spec:\n  broker: default\n  subscriber:\n    ref:\n"
        "      {apiVersion: serving.knative.dev/v1, kind: Service, name: late}\n"
    )
    run = up(tmp_path, "--runtime", "process").settled()
    event = {"Ce-Specversion": "1.0", "Ce-Id": "early", "Ce-Source": "/t", "Ce-Type": "t"}
    sent = run.http.post("/ns/default/brokers/default", headers=event, content=b"{}")
    assert sent.status_code == 202
    wait_until(lambda: run.seen("DeliveryAttempted", outcome="waiting"), "the event kept")
    (tmp_path / "sink.py").write_text(SINK)
    service(tmp_path, "python3 sink.py", "late")
    wait_until(lambda: run.logged("late", "received early"), "the event delivered")


SINK = """
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

class Sink(BaseHTTPRequestHandler):
    def do_POST(self):
        print("received", self.headers["Ce-Id"], flush=True)
        self.send_response(202)
        self.end_headers()

HTTPServer(("", int(os.environ["PORT"])), Sink).serve_forever()
"""


def test_a_mistake_made_while_running_changes_nothing_and_is_told(up: Up, tmp_path: Path) -> None:
    app = ROOT / "examples/hello-python/app.py"
    service(tmp_path, f"python3 {app}")
    run = up(tmp_path, "--runtime", "process").settled()
    assert run.get("broken.default").text == "Hello World!\n"
    (tmp_path / "bad.yaml").write_text("a: [1\n")
    wait_until(
        lambda: [f for f in run.seen("Notice", level="error") if "bad.yaml:2" in f["text"]],
        "the mistake told",
    )
    assert run.get("broken.default").text == "Hello World!\n"
    (tmp_path / "bad.yaml").unlink()
    (tmp_path / "broken.yaml").unlink()
    service(tmp_path, f"python3 {app}", "other")
    wait_until(lambda: run.get("other.default").status_code == 200, "the new service")
    wait_until(lambda: run.get("broken.default").status_code == 404, "the old service gone")


def test_an_unknown_host_is_answered_with_what_exists(up: Up, tmp_path: Path) -> None:
    service(tmp_path, f"python3 {ROOT}/examples/hello-python/app.py", "known")
    run = up(tmp_path, "--runtime", "process").settled()
    answer = run.get("unknown.default")
    assert answer.status_code == 404
    assert "known.default.localhost" in answer.text
    index = run.http.get("/", headers={"Host": f"localhost:{run.port}"})
    assert index.status_code == 200
    assert "known.default.localhost" in index.text
