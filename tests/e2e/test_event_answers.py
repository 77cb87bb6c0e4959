"""The examples of event transforms and request-reply on the real executable."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.e2e.executable import EXAMPLES, Knlite, wait_until

pytestmark = pytest.mark.e2e

Up = Callable[..., Knlite]
EVENTING = "/apis/eventing.knative.dev/v1alpha1/namespaces"
BROKEN = """
apiVersion: eventing.knative.dev/v1alpha1
kind: EventTransform
metadata: {name: broken}
spec:
  jsonata: {expression: '{"a": '}
"""
ORDER = '{"customer": {"name": "Ada"}, "items": [{"price": 3, "quantity": 2}]}'


def sent(run: Knlite, path: str, event_type: str, data: str, host: str = "") -> httpx.Response:
    headers = {
        "Ce-Specversion": "1.0",
        "Ce-Id": "1",
        "Ce-Source": "/test",
        "Ce-Type": event_type,
        "Content-Type": "application/json",
        "Host": host or f"127.0.0.1:{run.port}",
    }
    return run.http.post(path, headers=headers, content=data)


def test_events_are_transformed_on_their_way_and_on_request(up: Up) -> None:
    run = up(EXAMPLES / "event-transform", "--runtime", "process").settled()
    assert run.ready(f"{EVENTING}/transform/eventtransforms/summary")["status"] == "True"

    answer = sent(run, "/ns/transform/brokers/default", "com.example.order", ORDER)
    assert answer.status_code == 202
    summary = 'com.example.order.summary: {"customer":"Ada","pieces":2,"total":6}'
    wait_until(lambda: run.logged("display", summary), "the summary")

    answer = sent(run, "/ns/transform/eventtransforms/summary", "com.example.order", ORDER)
    assert answer.headers["content-type"] == "application/cloudevents+json"
    assert answer.json()["data"] == {"customer": "Ada", "pieces": 2, "total": 6}
    host = "summary-jsonata.transform.svc.cluster.local"
    assert sent(run, "/", "com.example.order", ORDER, host).json() == answer.json()
    # What a local process has in K_SINK, as it resolves no names of the cluster.
    by_path = "/ns/transform/services/summary-jsonata/"
    assert sent(run, by_path, "com.example.order", ORDER).json() == answer.json()

    answer = sent(run, "/ns/transform/eventtransforms/shout", "a", '{"word": "hello"}')
    assert (answer.status_code, answer.json()) == (200, {"said": "5 letters"})
    wait_until(lambda: run.logged("display", "com.example.word: HELLO"), "the word")


def test_an_expression_that_is_none_is_told_with_the_parsers_words(up: Up, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text(BROKEN)
    run = up(tmp_path, "--runtime", "process")
    path = f"{EVENTING}/default/eventtransforms/broken"
    wait_until(run.answers, "the API")
    ready = wait_until(lambda: run.ready(path).get("reason") and run.ready(path), "a reason")
    assert ready["reason"] == "ExpressionInvalid"
    assert "Expected } before end of expression" in ready["message"]
    assert sent(run, "/ns/default/eventtransforms/broken", "a", "1").status_code == 404


def test_a_request_is_answered_by_an_event(up: Up) -> None:
    run = up(EXAMPLES / "request-reply", "--runtime", "process").settled()
    path = "/ns/ask/requestreplies/sums"
    assert run.ready(f"{EVENTING}/ask/requestreplies/sums")["status"] == "True"
    answer = sent(run, path, "com.example.sum", "[1, 2, 3]")
    assert (answer.status_code, answer.json()) == (200, {"sum": 6})
    assert answer.headers["ce-type"] == "com.example.result"
    assert answer.headers["ce-id"] == "sum-of-1"
    host = "request-reply.knative-eventing.svc.cluster.local"
    assert sent(run, "/ask/sums", "com.example.sum", "[4]", host).json() == {"sum": 4}

    triggers = run.object("/apis/eventing.knative.dev/v1/namespaces/ask/triggers")["items"]
    (trigger,) = (each for each in triggers if each["metadata"]["name"] == "sums0-1")
    key = trigger["spec"]["filters"][0]["cesql"].split('"')[5]
    assert len(key) == 64
    assert key not in json.dumps(run.facts), "the key is in the log"

    began = time.monotonic()
    answer = sent(run, path, "com.example.riddle", '"?"')
    assert (answer.status_code, answer.text) == (504, "no reply has come within 5 s\n")
    assert time.monotonic() - began > 4.9


def test_a_transform_leaves_no_process_behind(up: Up) -> None:
    run = up(EXAMPLES / "event-transform", "--runtime", "process").settled()
    answer = sent(run, "/ns/transform/eventtransforms/summary", "com.example.order", ORDER)
    assert answer.status_code == 200
    worker = wait_until(lambda: _workers_of(run), "the process of the expression")
    run.stop()
    wait_until(lambda: not any(_alive(pid) for pid in worker), "its end")


def _workers_of(run: Knlite) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                command = (entry / "cmdline").read_bytes()
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parent = int(stat.rpartition(")")[2].split()[1])
            if b"jsonata_worker" in command and parent == run.process.pid:
                found.append(int(entry.name))
    return found


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
