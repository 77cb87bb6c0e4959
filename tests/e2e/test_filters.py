"""Triggers of all dialects on the real executable: who gets which event, also after an edit."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests.e2e.executable import Knlite, wait_until

pytestmark = pytest.mark.e2e

FILTERS: dict[str, object] = {
    "attributes": {"filter": {"attributes": {"type": "order.paid"}}},
    "exact": {"filters": [{"exact": {"type": "order.paid"}}]},
    "prefix": {"filters": [{"prefix": {"type": "order."}}]},
    "suffix": {"filters": [{"suffix": {"type": ".paid"}}]},
    "both": {"filters": [{"prefix": {"type": "order."}}, {"exact": {"tenant": "acme"}}]},
    "either": {"filters": [{"any": [{"exact": {"type": "x"}}, {"exact": {"tenant": "acme"}}]}]},
    "neither": {"filters": [{"not": {"prefix": {"type": "order."}}}]},
    "cesql": {"filters": [{"cesql": "type LIKE 'order.%' AND (NOT EXISTS total OR total > 100)"}]},
    "everything": {},
}
EVENTS = {
    "1": {"type": "order.paid", "tenant": "acme", "total": "99"},
    "2": {"type": "order.paid", "total": "101"},
    "3": {"type": "order.sent", "tenant": "acme"},
    "4": {"type": "invoice.paid", "total": "many"},
}
GOT = {
    "attributes": {"1", "2"},
    "exact": {"1", "2"},
    "prefix": {"1", "2", "3"},
    "suffix": {"1", "2", "4"},
    "both": {"1", "3"},
    "either": {"1", "3"},
    "neither": {"4"},
    "cesql": {"2", "3"},
    "everything": {"1", "2", "3", "4"},
}


class Subscriber:
    """Remembers which ids came to which path."""

    def __init__(self) -> None:
        got: dict[str, set[str]] = {}

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"] or 0))
                got.setdefault(self.path.strip("/"), set()).add(self.headers["Ce-Id"])
                self.send_response(204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing to print."""

        self.got = got
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def subscriber() -> Iterator[Subscriber]:
    found = Subscriber()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


def manifest(kind: str, name: str, **spec: object) -> str:
    return json.dumps(
        {
            "apiVersion": "eventing.knative.dev/v1",
            "kind": kind,
            "metadata": {"name": name},
            **({"spec": spec} if spec else {}),
        }
    )


def send(run: Knlite, event: str, attributes: dict[str, str]) -> int:
    """Post an event to the broker; how many take it."""
    headers = {f"Ce-{name}": value for name, value in attributes.items()}
    headers |= {"Ce-Specversion": "1.0", "Ce-Id": event, "Ce-Source": "/test"}
    assert run.http.post("/ns/default/brokers/default", headers=headers).status_code == 202
    (accepted,) = wait_until(
        lambda: [fact for fact in run.seen("EventAccepted") if fact["attributes"]["id"] == event],
        f"event {event} to be told",
    )
    return len(accepted["readers"])


def test_each_trigger_gets_what_its_filter_lets_through(
    up: Callable[..., Knlite], tmp_path: Path, subscriber: Subscriber
) -> None:
    manifests = [manifest("Broker", "default")]
    for name, spec in FILTERS.items():
        assert isinstance(spec, dict)
        target = {"uri": f"{subscriber.url}/{name}"}
        manifests.append(manifest("Trigger", name, broker="default", subscriber=target, **spec))
    (tmp_path / "triggers.yaml").write_text("\n---\n".join(manifests))
    run = up(tmp_path, "--runtime", "process").settled()

    for event, attributes in EVENTS.items():
        wanted = sum(event in events for events in GOT.values())
        assert send(run, event, attributes) == wanted
    wait_until(lambda: subscriber.got == GOT, f"{GOT}, not {subscriber.got}")

    # The next event is judged by the filter that it is then.
    path = "/apis/eventing.knative.dev/v1/namespaces/default/triggers/neither"
    url = f"http://127.0.0.1:{run.admin_port}{path}"
    merge = {"Content-Type": "application/merge-patch+json"}
    edited = {"spec": {"filters": [{"cesql": "total = 7"}]}}
    assert httpx.patch(url, json=edited, headers=merge).status_code == 200
    assert send(run, "5", {"type": "bill", "total": "7"}) == 2
    wait_until(lambda: "5" in subscriber.got["neither"], "the event after the edit")
    misspelled = {"spec": {"filters": [{"cesq": "total = 7"}]}}
    refused = httpx.patch(url, json=misspelled, headers=merge)
    assert refused.status_code == 422
    assert 'did you mean "cesql"?' in refused.json()["message"]
