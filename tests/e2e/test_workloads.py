"""Programs that no request wakes, as processes: of Deployments, Jobs, sources and sinks."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.clients import Client
from tests.e2e.executable import ROOT, Knlite, wait_until

pytestmark = pytest.mark.e2e

Up = Callable[..., Knlite]

SHOWS = """
import http.server, json, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        names = {k.lower(): v for k, v in self.headers.items() if k.lower().startswith("ce-")}
        print(json.dumps({"got": names, "body": body}), flush=True)
        self.send_response(200)
        self.end_headers()
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
BEATS = """
import json, os, time, urllib.request
overrides = json.loads(os.environ["K_CE_OVERRIDES"] or "{}").get("extensions", {})
for number in range(10_000):
    headers = {"ce-specversion": "1.0", "ce-type": "beat", "ce-source": "/heart",
               "ce-id": str(number), "content-type": "application/json"}
    headers.update({f"ce-{name}": value for name, value in overrides.items()})
    request = urllib.request.Request(os.environ["K_SINK"], b'{"beat":%d}' % number, headers)
    try:
        print("sent", number, urllib.request.urlopen(request).status, flush=True)
    except OSError as error:
        print("failed", number, error, flush=True)
    time.sleep(0.2)
"""
READS = """
import os
path = os.path.join(os.environ["K_EVENT_PATH"], "event")
print("mode", os.environ["K_EXECUTION_MODE"], "event", open(path).read(), flush=True)
if os.environ.get("FAILS"):
    raise SystemExit(3)
"""
SOURCE = """
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: {name: default}
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: shown}
spec:
  broker: default
  subscriber: {ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: shows}}
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: shows}
spec:
  template:
    metadata: {annotations: {knlite.dev/command: python3 shows.py}}
    spec: {containers: [{image: shows}]}
---
apiVersion: sources.knative.dev/v1
kind: ContainerSource
metadata: {name: heart}
spec:
  template:
    metadata: {annotations: {knlite.dev/command: python3 beats.py}}
    spec: {containers: [{image: heart}]}
  sink: {ref: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: default}}
  ceOverrides: {extensions: {room: kitchen}}
"""


def project(folder: Path, manifests: str, **programs: str) -> Path:
    (folder / "all.yaml").write_text(manifests)
    for name, text in programs.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def received(knlite: Knlite) -> list[dict[str, Any]]:
    lines = knlite.logged("shows", '"got"')
    return [json.loads(line["text"]) for line in lines]


def alive(marker: Path) -> list[int]:
    """Processes that run a program of that folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if str(marker).encode() in words:
            found.append(int(entry.name))
    return found


def test_a_container_source_sends_its_events_through_a_broker(up: Up, tmp_path: Path) -> None:
    folder = project(tmp_path, SOURCE, shows=SHOWS, beats=BEATS)
    knlite = up(folder, "--runtime", "process").settled()
    event = wait_until(lambda: received(knlite), "an event at the service")[0]
    assert event["got"]["ce-type"] == "beat"
    assert event["got"]["ce-room"] == "kitchen"
    assert json.loads(event["body"]).keys() == {"beat"}
    source = "/apis/sources.knative.dev/v1/namespaces/default/containersources/heart"
    wait_until(lambda: knlite.ready(source).get("status") == "True", "the source is ready")
    status = knlite.object(source)["status"]
    assert status["sinkUri"].endswith(
        "broker-ingress.knative-eventing.svc.cluster.local/default/default"
    )
    deployment = knlite.object("/apis/apps/v1/namespaces/default/deployments/heart-deployment")
    assert deployment["status"]["readyReplicas"] == 1
    command = [sys.executable, "-m", "knlite", "logs", "heart"]
    command += ["--admin-port", str(knlite.admin_port), "--tail", "1"]
    logged = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert "sent" in logged.stdout, logged.stderr
    assert knlite.admin.delete(source).status_code == 200
    wait_until(lambda: knlite.at_zero("default", "heart"), "the end of its program")


def test_nothing_runs_on_after_a_crash(up: Up, tmp_path: Path) -> None:
    manifests = SOURCE.replace("python3 beats.py", f"python3 {tmp_path}/beats.py")
    folder = project(tmp_path, manifests, shows=SHOWS, beats=BEATS)
    knlite = up(folder, "--runtime", "process").settled()
    wait_until(lambda: knlite.logged("heart", "sent"), "the program runs")
    assert alive(tmp_path / "beats.py")
    knlite.stop(signal.SIGKILL)
    wait_until(lambda: not alive(tmp_path / "beats.py"), "the end of all programs")


JOB_SINK = """
apiVersion: sinks.knative.dev/v1alpha1
kind: JobSink
metadata: {name: reader}
spec:
  job:
    spec:
      backoffLimit: 0
      template:
        metadata: {annotations: {knlite.dev/command: python3 reads.py}}
        spec:
          restartPolicy: Never
          containers: [{name: main, image: reader, env: [{name: FAILS, value: "FAILURE"}]}]
"""
EVENT = {"ce-specversion": "1.0", "ce-type": "t", "ce-source": "/a/b c", "ce-id": "1/2"}
HOST = {"Host": "job-sink.knative-eventing.svc.cluster.local"}


def posted(knlite: Knlite, **headers: str) -> httpx.Response:
    content = {"content-type": "application/json"}
    return knlite.http.post(
        "/default/reader", content=b'{"x":1}', headers={**HOST, **EVENT, **content, **headers}
    )


def polled(knlite: Knlite, location: str) -> httpx.Response:
    def ended() -> httpx.Response | None:
        answer = knlite.http.get(location, headers=HOST)
        return None if answer.status_code == 202 else answer

    found = wait_until(ended, "the end of the Job")
    assert isinstance(found, httpx.Response)
    return found


def test_a_job_sink_runs_a_job_for_each_event(up: Up, tmp_path: Path) -> None:
    folder = project(tmp_path, JOB_SINK.replace("FAILURE", ""), reads=READS)
    knlite = up(folder, "--runtime", "process").settled()
    first = posted(knlite)
    assert first.status_code == 202
    location = "/namespaces/default/name/reader/sources/%2Fa%2Fb%20c/ids/1%2F2"
    assert first.headers["location"] == location
    assert posted(knlite).status_code == 202
    answer = polled(knlite, location)
    assert (answer.status_code, answer.headers["reason"]) == (200, "Complete")
    (line,) = knlite.logged("reader", "mode batch event")
    event = json.loads(line["text"].partition("event ")[2])
    assert (event["id"], event["source"], event["data"]) == ("1/2", "/a/b c", {"x": 1})
    jobs = knlite.object("/apis/batch/v1/namespaces/default/jobs")["items"]
    assert len(jobs) == 1, "the same event runs once"
    assert jobs[0]["metadata"]["labels"]["sinks.knative.dev/job-sink-name"] == "reader"
    (secret,) = knlite.object("/api/v1/namespaces/default/secrets")["items"]
    assert (secret["metadata"]["name"], secret["immutable"]) == (jobs[0]["metadata"]["name"], True)
    path = "/apis/batch/v1/namespaces/default/jobs/" + jobs[0]["metadata"]["name"]
    assert knlite.admin.delete(path).status_code == 200
    assert knlite.object("/api/v1/namespaces/default/secrets")["items"] == []
    assert knlite.http.get(location, headers=HOST).status_code == 500
    # By the path address, and what cannot be.
    by_path = "/ns/knative-eventing/services/job-sink/default/reader"
    assert knlite.http.post(by_path, content=b"", headers=EVENT).status_code == 202
    assert knlite.http.post(by_path, content=b"").status_code == 400
    assert knlite.http.post("/default/none", headers={**HOST, **EVENT}).status_code == 400
    assert knlite.http.put("/default/reader", headers={**HOST, **EVENT}).status_code == 400


def test_a_job_that_fails_is_told_so(up: Up, tmp_path: Path) -> None:
    folder = project(tmp_path, JOB_SINK.replace("FAILURE", "1"), reads=READS)
    knlite = up(folder, "--runtime", "process").settled()
    answer = polled(knlite, posted(knlite).headers["location"])
    assert (answer.status_code, answer.headers["reason"]) == (400, "Failed")


WORKER = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: worker}
spec:
  replicas: 2
  selector: {matchLabels: {app: worker}}
  template:
    metadata:
      labels: {app: worker}
      annotations: {knlite.dev/command: "sh -c 'echo at work; exec sleep 600'"}
    spec: {containers: [{name: main, image: worker}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec:
  template:
    metadata: {annotations: {knlite.dev/command: echo done}}
    spec: {restartPolicy: Never, containers: [{name: main, image: once}]}
"""


def test_kubectl_scales_rolls_waits_and_reads(kubectl: Client, knlite: Knlite) -> None:
    kubectl("apply", "-f", "-", stdin=WORKER)
    kubectl("rollout", "status", "deployment/worker", "--timeout=60s")
    kubectl("wait", "job/once", "--for=condition=Complete", "--timeout=60s")
    assert kubectl("logs", "job/once") == "done\n"
    kubectl("scale", "deployment/worker", "--current-replicas=2", "--replicas=3")
    kubectl("rollout", "status", "deployment/worker", "--timeout=60s")
    before = kubectl("get", "pods", "-l", "app=worker", "-o", "name").split()
    assert len(before) == 3
    assert kubectl("logs", before[0]) == "at work\n"
    kubectl("rollout", "restart", "deployment/worker")
    kubectl("rollout", "status", "deployment/worker", "--timeout=60s")

    def replaced() -> bool:
        now = kubectl("get", "pods", "-l", "app=worker", "-o", "name").split()
        return len(now) == 3 and not set(now) & set(before)

    wait_until(replaced, "three other pods")
    kubectl("delete", "deployment/worker", "job/once", "--wait")
    wait_until(lambda: not kubectl("get", "pods", "-o", "name"), "no pod any more")
