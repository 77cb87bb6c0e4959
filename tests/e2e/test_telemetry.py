"""Traces and metrics by OTLP, from a real run to a collector; and the terminal as JSON."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.executable import ROOT, Knlite, free_port, left_to_nobody, running, wait_until
from tests.e2e.otlpreceiver import Got, Receiver, receiving

pytestmark = [pytest.mark.e2e, pytest.mark.beside]

TRACE, SENDER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
ORIGIN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

MANIFESTS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: config-autoscaler, namespace: knative-serving}
data: {allow-zero-initial-scale: "true"}
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: shop}
spec:
  template:
    metadata:
      annotations:
        knlite.dev/command: python3 shop.py
        autoscaling.knative.dev/initial-scale: "0"
    spec:
      containers: [{image: example.com/shop}]
---
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: {name: default}
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: orders}
spec:
  broker: default
  filter: {attributes: {type: order.placed}}
  delivery: {retry: 2, backoffPolicy: exponential, backoffDelay: PT0.2S}
  subscriber:
    ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: shop}
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: answers}
spec:
  broker: default
  filter: {attributes: {type: order.answered}}
  delivery:
    deadLetterSink:
      ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: shop}
      uri: /dead
  subscriber:
    ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: shop}
    uri: /refused
"""

SHOP = '''
"""Refuses an order once, then answers it with an event."""
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

asked = set()

class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(200, (self.headers.get("traceparent") or "").encode())

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        id = self.headers.get("ce-id")
        if self.path == "/refused":
            self.answer(400, b"no")
        elif self.path == "/dead":
            self.answer(202)
        elif id not in asked:
            asked.add(id)
            self.answer(503, b"not yet")
        else:
            self.answer(200, b"{}", {
                "ce-specversion": "1.0", "ce-id": id + "-answer", "ce-source": "/shop",
                "ce-type": "order.answered", "Content-Type": "application/json",
            })

    def answer(self, status, body=b"", headers={}):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Shop).serve_forever()
'''


class Seen(NamedTuple):
    """A run that tells a collector, after one event and one request."""

    knlite: Knlite
    collector: Receiver
    traceparent: str
    """As the instance got it with the request."""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    folder = tmp_path_factory.mktemp("telemetry")
    (folder / "all.yaml").write_text(MANIFESTS)
    (folder / "shop.py").write_text(SHOP)
    with receiving() as collector:
        env = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_EXPORTER_OTLP_HEADERS": "x-team=blue",
            "OTEL_METRIC_EXPORT_INTERVAL": "200",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
        }
        with running(folder, env=env) as knlite:
            knlite.settled()
            send(knlite, "order-1", "order.placed", traceparent=f"00-{TRACE}-{SENDER}-01")
            wait_until(lambda: len(collector.named("trigger:answers.default")) == 1, "the end")
            answer = knlite.get("shop.default", "/hello?password=secret")
            assert answer.status_code == 200
            wait_until(lambda: collector.named("GET shop.default"), "the request")
            yield Seen(knlite, collector, answer.text)


def send(knlite: Knlite, name: str, kind: str, **headers: str) -> None:
    attributes = {"ce-specversion": "1.0", "ce-id": name, "ce-source": "/test", "ce-type": kind}
    answer = knlite.http.post(
        "/ns/default/brokers/default",
        headers={"ce-traceparent": ORIGIN, **attributes, **headers},
        json={},
    )
    assert answer.status_code == 202, answer.text


def only(spans: list[Got]) -> Got:
    assert len(spans) == 1, spans
    return spans[0]


def test_one_trace_spans_an_event_its_attempts_its_reply_and_its_dead_letter(seen: Seen) -> None:
    collector = seen.collector
    taken, answered = collector.named("broker:default.default")
    assert (taken.trace, taken.parent, taken.kind) == (TRACE, SENDER, "SERVER")
    assert taken.links == [ORIGIN.split("-")[2]]
    assert taken.attributes["cloudevents.event_id"] == "order-1"
    trigger = only(collector.below(taken))
    assert (trigger.name, trigger.kind) == ("trigger:orders.default", "CONSUMER")
    first, second, reply = collector.below(trigger)
    assert [each.name for each in (first, second, reply)] == [
        *["send subscriber"] * 2,
        "send reply",
    ]
    assert first.failed
    assert first.attributes["http.response.status_code"] == 503
    pause = first.attributes["knlite.next_attempt_in"]
    assert 0 < pause * 1e9 <= second.start - first.end
    assert (second.attributes["http.request.resend_count"], second.failed) == (1, "")
    assert only(collector.below(reply)) == answered
    refused = only(collector.below(answered))
    assert refused.name == "trigger:answers.default"
    assert [each.name for each in collector.below(refused)] == [
        "send subscriber",
        "send dead letter sink",
    ]
    # All requests that the instance got for it are in it too.
    assert {each.trace for each in collector.named("POST shop.default")} == {TRACE}
    assert len(collector.named("POST shop.default")) == 4


def test_every_trigger_says_why_it_wants_an_event_or_not(seen: Seen) -> None:
    taken, _ = seen.collector.named("broker:default.default")
    verdicts = {told["knlite.egress"]: told for name, told in taken.events if name == "filter"}
    assert verdicts["trigger:orders.default"]["knlite.wanted"] is True
    assert verdicts["trigger:answers.default"]["knlite.wanted"] is False
    assert "order.answered" in verdicts["trigger:answers.default"]["knlite.why"]


def test_a_cold_start_is_told_stage_by_stage(seen: Seen) -> None:
    cold = seen.collector.named("POST shop.default")[0]
    assert cold.attributes["faas.coldstart"] is True
    assert cold.attributes["knlite.start"] in {"spawned", "forked"}
    stages = seen.collector.below(cold)
    names = [stage.name for stage in stages]
    assert names[0] == "queued"
    assert {"create", "ready", "app"} <= set(names)
    # Without a gap, from the beginning to the end.
    assert (stages[0].start, stages[-1].end) == (
        pytest.approx(cold.start, abs=1000),
        pytest.approx(cold.end, abs=1000),
    )
    attempt = only([s for s in seen.collector.spans if s.span == cold.parent])
    assert attempt.name == "send subscriber"


def test_a_request_without_a_trace_begins_one_that_its_instance_goes_on_with(seen: Seen) -> None:
    request = seen.collector.named("GET shop.default")[0]
    assert seen.traceparent == f"00-{request.trace}-{request.span}-01"
    assert (request.parent, request.kind) == ("", "SERVER")
    assert request.attributes["faas.coldstart"] is False
    assert request.attributes["url.path"] == "/hello"
    assert "secret" not in str(request)


def test_who_tells_it_is_told_too(seen: Seen) -> None:
    assert seen.collector.headers["x-team"] == "blue"
    assert seen.collector.resource["service.name"] == "knlite"
    assert seen.collector.resource["deployment.environment.name"] == "test"


def test_metrics_are_pushed_under_the_names_that_knative_gives_them(seen: Seen) -> None:
    metrics = seen.collector.metrics
    wait_until(lambda: "kn.eventing.dispatch.duration" in metrics, "metrics of events")
    wait_until(lambda: "http.server.request.duration" in metrics, "metrics of requests")
    duration = metrics["http.server.request.duration"]
    assert duration.unit == "s"
    point = duration.histogram.data_points[0]
    named = {each.key for each in point.attributes}
    assert {"kn.service.name", "kn.revision.name", "http.response.status_code"} <= named
    assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
    assert sum(point.bucket_counts) == point.count
    assert "kn.revision.pods.not_ready.count" in metrics
    assert "knlite.cold.start" in metrics
    assert not any(name.startswith("revision") for name in metrics)


def test_a_configmap_ends_and_begins_it_again_while_it_runs(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "all.yaml").write_text(MANIFESTS)

    def configure(**data: str) -> None:
        answer = knlite.admin.patch(
            "/api/v1/namespaces/knative-serving/configmaps/config-observability",
            json={"data": data},
            headers={"Content-Type": "application/merge-patch+json"},
        )
        assert answer.status_code == 200, answer.text

    with receiving() as collector, running(tmp_path) as knlite:
        knlite.settled()
        assert knlite.get("shop.default").text == ""
        endpoint = f"{collector.url}/v1/traces"
        told = {"tracing-endpoint": endpoint, "tracing-sampling-rate": "1"}
        configure(**{"tracing-protocol": "http/protobuf", **told})
        wait_until(lambda: knlite.get("shop.default").text, "a traceparent")
        wait_until(lambda: collector.named("GET shop.default"), "a span")
        collector.status = 400
        assert knlite.get("shop.default").text
        wait_until(lambda: knlite.seen("Notice", level="warning"), "a sentence")
        assert "traces cannot be sent to" in knlite.seen("Notice", level="warning")[0]["text"]
        configure(**{"tracing-protocol": "none", "tracing-endpoint": ""})
        wait_until(lambda: knlite.get("shop.default").text == "", "no traceparent")


def test_the_terminal_as_json_is_nothing_but_json(tmp_path: Path) -> None:
    broker = "apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: {name: default}\n"
    (tmp_path / "broker.yaml").write_text(broker)
    ports = [f"--port={free_port()}", f"--admin-port={free_port()}"]
    command = [sys.executable, "-m", "knlite", "up", str(tmp_path), "--runtime=process", *ports]
    with subprocess.Popen(
        [*command, "--log-format=json"], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as run:
        left_to_nobody(run)
        assert run.stdout is not None
        first = run.stdout.readline()
        run.send_signal(signal.SIGTERM)
        lines = [json.loads(line) for line in (first, *run.stdout)]
    assert run.returncode == 0
    assert {"at", "level", "event", "message"} <= set.intersection(*map(set, lines))
    settled = [line for line in lines if line["event"] == "Settled"]
    assert settled[0]["object"] == "Broker/default/default"
    assert settled[0]["message"].startswith("ready: True")
    assert lines[-1]["message"] == "stopping …"
