"""Sources on the real executable: a schedule and a change of an object, up to a program's log."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.clients import Client
from tests.e2e.executable import Knlite, wait_until

pytestmark = pytest.mark.e2e

Up = Callable[..., Knlite]

SHOW = """\
import os
from http.server import BaseHTTPRequestHandler, HTTPServer


class Show(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        print(self.headers["Ce-Type"], self.headers["Ce-Subject"], body.decode(), flush=True)
        self.send_response(202)
        self.end_headers()

    def log_message(self, *words):
        pass


HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Show).serve_forever()
"""
MANIFEST = """\
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: show, namespace: default}
spec:
  template:
    metadata:
      annotations:
        knlite.dev/command: python3 show.py
        autoscaling.knative.dev/initial-scale: "0"
    spec:
      containers: [{image: example.com/show}]
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: shown, namespace: default}
spec:
  broker: default
  subscriber: {ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: show}}
---
apiVersion: sources.knative.dev/v1
kind: PingSource
metadata: {name: clock, namespace: default}
spec:
  schedule: "*/2 * * * * *"
  contentType: application/json
  data: '{"tick": true}'
  sink: {ref: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: default}}
---
apiVersion: sources.knative.dev/v1
kind: ApiServerSource
metadata: {name: changes, namespace: default}
spec:
  resources: [{apiVersion: v1, kind: ConfigMap}]
  sink: {ref: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: default}}
---
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: {name: default, namespace: default}
"""
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
TYPES = "/apis/eventing.knative.dev/v1beta2/namespaces/default/eventtypes"


def test_a_schedule_and_a_change_wake_a_service_at_zero(up: Up, tmp_path: Path) -> None:
    (tmp_path / "show.py").write_text(SHOW)
    (tmp_path / "all.yaml").write_text(MANIFEST)
    run = up(
        tmp_path,
        "--runtime",
        "process",
        "--set",
        "config-autoscaler.allow-zero-initial-scale=true",
        "--set",
        "config-features.eventtype-auto-create=enabled",
    ).settled()
    wait_until(lambda: run.logged("show", 'dev.knative.sources.ping None {"tick": true}'), "a ping")
    assert run.seen("ColdStart", service="show")
    assert run.seen("SourceSent", kind="PingSource", outcome="delivered")

    made = {"metadata": {"name": "new"}, "data": {"a": "b"}}
    assert run.admin.post(CONFIG_MAPS, json=made).status_code == 201
    subject = "/apis/v1/namespaces/default/configmaps/new"
    wait_until(lambda: run.logged("show", f"dev.knative.apiserver.ref.add {subject}"), "a change")

    def types() -> set[tuple[str, str]]:
        return {
            (each["spec"]["type"], each["metadata"]["ownerReferences"][0]["kind"])
            for each in run.object(TYPES)["items"]
        }

    wanted = {
        ("dev.knative.sources.ping", "PingSource"),
        ("dev.knative.sources.ping", "Broker"),
        ("dev.knative.apiserver.ref.delete", "ApiServerSource"),
        ("dev.knative.apiserver.ref.add", "Broker"),
    }
    wait_until(lambda: wanted <= types(), "event types")


SINK = "http://sink.example"


def test_kn_makes_and_lists_sources_and_event_types(kn: Client) -> None:
    kn("broker", "create", "of-kn")
    kn("source", "ping", "create", "of-kn", "--schedule", "@hourly", "--sink", "broker:of-kn")
    kn("source", "ping", "update", "of-kn", "--data", "hello")
    kn("source", "apiserver", "create", "of-kn", "--resource", "v1:Event", "--sink", SINK)
    rows = [row.split() for row in kn("source", "list").splitlines()]
    definition = "pingsources.sources.knative.dev"
    assert ["of-kn", "PingSource", definition, "broker:of-kn", "True"] in rows
    assert "@hourly" in kn("source", "ping", "describe", "of-kn")
    types = kn("source", "list-types")
    assert all(kind in types for kind in ("ApiServerSource", "ContainerSource", "SinkBinding"))
    reference = "broker:of-kn"
    kn("eventtype", "create", "of-kn", "--type", "a.b", "--source", "/x", "--reference", reference)
    listed = kn("eventtype", "list")
    assert "dev.knative.sources.ping" in listed
    assert "a.b" in listed
    refused = kn.refused("source", "ping", "update", "of-kn", "--schedule", "@every 5m")
    assert "unsupported descriptor @every: spec.schedule" in refused
    kn("source", "ping", "delete", "of-kn")
    wait_until(lambda: "dev.knative.sources.ping" not in kn("eventtype", "list"), "it is gone")


def test_kubectl_finds_sources_by_their_definitions(kubectl: Client) -> None:
    found = kubectl("get", "crd", "-l", "duck.knative.dev/source=true", "-o", "name").split()
    assert "customresourcedefinition.apiextensions.k8s.io/pingsources.sources.knative.dev" in found
    brokers = "crd/brokers.eventing.knative.dev"
    assert "condition met" in kubectl("wait", "--for=condition=Established", brokers)
    described = kubectl("explain", "pingsources.spec", "--api-version=sources.knative.dev/v1beta2")
    assert "timezone" in described
