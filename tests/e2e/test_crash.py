"""``kill -9`` in the middle of a stream: what got a 202 is delivered, whole."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from benchmarks.crash import crash, is_sound

from tests.e2e.executable import Knlite, wait_until

pytestmark = pytest.mark.e2e

Up = Callable[..., Knlite]


@pytest.mark.parametrize("seed", [1, 2])
def test_what_was_accepted_is_delivered_after_kill_9(tmp_path: Path, seed: int) -> None:
    happened, ledger = asyncio.run(crash(tmp_path, rounds=2, seed=seed, longest=1.0))
    assert sum(each.accepted for each in happened) > 0
    assert ledger.missing() == []
    assert ledger.corrupted == []
    assert ledger.unexplained == []
    assert is_sound(tmp_path)


BROKER = """
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: {name: default, namespace: default}
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: absent, namespace: default}
spec:
  broker: default
  subscriber: {ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: absent}}
"""


def test_a_full_queue_answers_503_with_words_and_outlives_a_restart(up: Up, tmp_path: Path) -> None:
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "broker.yaml").write_text(BROKER)
    data = ("--runtime", "process", "--data-dir", tmp_path / "data", "--limit", "queued-events=2")
    knlite = up(tmp_path / "manifests", *data)
    wait_until(lambda: send(knlite, 1).status_code == 202, "the broker")
    assert send(knlite, 2).status_code == 202
    refused = send(knlite, 3)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert "the limit is queued-events=2" in refused.text
    knlite.stop(signal.SIGKILL)
    knlite = up(tmp_path / "manifests", *data)
    wait_until(lambda: send(knlite, 3).status_code == 503, "the broker, as full as it was")


def send(knlite: Knlite, number: int) -> httpx.Response:
    headers = {"ce-specversion": "1.0", "ce-id": str(number), "ce-source": "/", "ce-type": "t"}
    try:
        return knlite.http.post("/ns/default/brokers/default", headers=headers)
    except httpx.TransportError:
        return httpx.Response(599)
