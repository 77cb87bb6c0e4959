"""With ``--data-dir`` a later run goes on where the one before ended, also by ``kill -9``."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.executable import Knlite, wait_until

pytestmark = pytest.mark.e2e

Up = Callable[..., Knlite]

SERVICES = "/apis/serving.knative.dev/v1/namespaces/default/services"
SERVER = """
import http.server, os, sys, time
while not os.path.exists(os.environ["GATE"]):
    time.sleep(0.01)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["WORDS"].encode())
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


def service(folder: Path, name: str, words: str, gate: Path | None = None) -> dict[str, Any]:
    """A service that answers *words*, as soon as there is a file *gate*."""
    program = folder / "server.py"
    program.write_text(SERVER)
    env = [{"name": "WORDS", "value": words}, {"name": "GATE", "value": str(gate or program)}]
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "template": {
                "metadata": {"annotations": {"knlite.dev/command": f"python3 {program}"}},
                "spec": {"containers": [{"image": "none", "env": env}]},
            }
        },
    }


def make(knlite: Knlite, tree: dict[str, Any]) -> None:
    answer = knlite.admin.post(SERVICES, json=tree)
    assert answer.status_code == 201, answer.text


def edit(knlite: Knlite, tree: dict[str, Any]) -> None:
    answer = knlite.admin.patch(
        f"{SERVICES}/{tree['metadata']['name']}",
        content=json.dumps(tree),
        headers={"Content-Type": "application/merge-patch+json"},
    )
    assert answer.status_code == 200, answer.text


def ready(knlite: Knlite, name: str) -> bool:
    return knlite.ready(f"{SERVICES}/{name}").get("status") == "True"


def latest(knlite: Knlite, name: str) -> tuple[str, str]:
    status = knlite.object(f"{SERVICES}/{name}")["status"]
    return status["latestCreatedRevisionName"], status["latestReadyRevisionName"]


def test_a_rollout_that_a_crash_has_cut_goes_on(up: Up, tmp_path: Path) -> None:
    options = ("--runtime", "process", "--data-dir", tmp_path / "data")
    first = up(*options).settled()
    make(first, service(tmp_path, "hello", "one"))
    wait_until(lambda: ready(first, "hello"), "the first revision")
    gate = tmp_path / "gate"
    edit(first, service(tmp_path, "hello", "two", gate))
    revision = "/apis/serving.knative.dev/v1/namespaces/default/revisions/hello-00002"
    wait_until(lambda: first.admin.get(revision).status_code == 200, "the second revision")
    uid = first.object(f"{SERVICES}/hello")["metadata"]["uid"]
    wait_until(lambda: b"hello-00002" in stored(tmp_path / "data"), "the moment that is lost")
    first.stop(signal.SIGKILL)

    second = up(*options)
    wait_until(lambda: answered(second) == "one", "the revision that was ready")
    assert second.object(f"{SERVICES}/hello")["metadata"]["uid"] == uid
    assert latest(second, "hello") == ("hello-00002", "hello-00001")
    gate.touch()
    wait_until(
        lambda: latest(second, "hello") == ("hello-00002", "hello-00002"), "the rollout going on"
    )
    wait_until(lambda: second.get("hello.default").text == "two", "traffic on the new revision")


def answered(knlite: Knlite) -> str:
    """What the service says; nothing while knlite is still starting."""
    try:
        return knlite.get("hello.default").text
    except httpx.ConnectError:
        return ""


def stored(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("objects.sqlite*"))


def test_files_win_and_what_kubectl_made_stays(up: Up, tmp_path: Path) -> None:
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    for name in ("kept", "gone"):
        (manifests / f"{name}.yaml").write_text(json.dumps(service(tmp_path, name, "one")))
    options = ("--runtime", "process", "--data-dir", tmp_path / "data")
    first = up(manifests, *options).settled()
    make(first, service(tmp_path, "made", "made"))
    wait_until(lambda: ready(first, "made"), "what kubectl made")
    assert first.stop() == 0

    (manifests / "gone.yaml").unlink()
    (manifests / "kept.yaml").write_text(json.dumps(service(tmp_path, "kept", "two")))
    second = up(manifests, *options).settled()
    names = {each["metadata"]["name"] for each in second.object(SERVICES)["items"]}
    assert names == {"kept", "made"}
    wait_until(lambda: second.get("kept.default").text == "two", "what the file says now")
    assert second.get("made.default").text == "made"


def test_what_was_at_zero_stays_there_until_a_request_comes(up: Up, tmp_path: Path) -> None:
    options = (
        *("--runtime", "process", "--data-dir", tmp_path / "data"),
        *("--set", "config-autoscaler.stable-window=6s"),
        *("--set", "config-autoscaler.scale-to-zero-grace-period=1s"),
    )
    first = up(*options).settled()
    make(first, service(tmp_path, "quiet", "here"))
    wait_until(lambda: first.at_zero("default", "quiet"), "zero")
    wait_until(
        lambda: not first.object("/api/v1/namespaces/default/pods")["items"], "no pod any more"
    )
    assert first.stop() == 0

    second = up(*options).settled()
    assert ready(second, "quiet")
    assert not second.seen("InstanceChanged", service="quiet")
    assert second.get("quiet.default").text == "here"


def test_two_runs_cannot_share_a_folder(up: Up, tmp_path: Path) -> None:
    options = ("--runtime", "process", "--data-dir", tmp_path / "data")
    up(*options).settled()
    second = up(*options)
    wait_until(lambda: second.process.poll() is not None, "its end")
    assert second.stop() != 0
    assert "another knlite runs with this --data-dir" in second.stderr


def test_a_gradual_rollout_goes_on_where_it_was(up: Up, tmp_path: Path) -> None:
    options = ("--runtime", "process", "--data-dir", tmp_path / "data")
    first = up(*options).settled()
    slow = {"serving.knative.dev/rollout-duration": "15s"}
    tree = service(tmp_path, "hello", "one")
    tree["metadata"]["annotations"] = slow
    make(first, tree)
    wait_until(lambda: ready(first, "hello"), "the first revision")
    edit(first, service(tmp_path, "hello", "two"))
    wait_until(lambda: share(first) >= 20, "a fifth of the requests")
    before = share(first)
    assert first.ready(f"{SERVICES}/hello")["reason"] == "RolloutInProgress"
    first.stop(signal.SIGKILL)

    second = up(*options)
    wait_until(lambda: share(second) > 0, "the rollout going on")
    # What happened in the last moments before a crash may be lost, and the pace stays as it was.
    assert before - 10 <= share(second) < 100
    wait_until(lambda: ready(second, "hello"), "the end of the rollout")
    assert share(second) == 100


def share(knlite: Knlite) -> int:
    """Percents of the newest revision of two; 0 while knlite is still starting."""
    try:
        status = knlite.object(f"{SERVICES}/hello")["status"]
    except httpx.ConnectError:
        return 0
    traffic = status.get("traffic", [])
    found = [each["percent"] for each in traffic if each["revisionName"] == "hello-00002"]
    return int(found[0]) if found else 0
