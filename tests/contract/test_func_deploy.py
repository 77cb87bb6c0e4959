"""What a deployment asks the API for, in which order, and what it makes of the answers.

Source: Knative Functions reference §4.4. The API is a server that keeps what it is given.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from knlite.cli.client import Client
from knlite.cli.func import deploying
from knlite.cli.func.deploying import put_service, put_triggers, require_present, wait_ready
from knlite.errors import Conflict, KnliteError, Unreachable
from knlite.functions.deployment import Reference

SERVICES = "/apis/serving.knative.dev/v1/namespaces/default/services"
SERVICE = {
    "metadata": {"name": "web", "namespace": "default", "generation": 1, "uid": "u"},
    "spec": {"template": {"metadata": {}, "spec": {"containers": [{"image": "web"}]}}},
}


class API(ThreadingHTTPServer):
    """Objects by their paths; ``script`` is what watches tell, one list for each."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, Any] = {}
        self.script: list[list[dict[str, Any]]] = []
        self.asked: list[str] = []
        self.conflicts = 0


class _Handler(BaseHTTPRequestHandler):
    server: API

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  as its base has it
        pass

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if "watch" in parse_qs(parts.query):
            seen = self.server.script.pop(0)
            self.server.asked.append(f"WATCH {parse_qs(parts.query)['timeoutSeconds'][0]}")
            lines = [json.dumps({"type": "MODIFIED", "object": each}) for each in seen]
            self._answer(200, "\n".join(lines))
            return
        self._note()
        if parts.path.endswith(("services", "triggers")):
            items = [v for k, v in self.server.objects.items() if k.startswith(parts.path)]
            self._answer(200, json.dumps({"items": items}))
        elif parts.path in self.server.objects:
            self._answer(200, json.dumps(self.server.objects[parts.path]))
        else:
            self._answer(404, json.dumps({"message": "not found"}))

    def do_POST(self) -> None:
        self._note()
        tree = self._body()
        self.server.objects[f"{self.path}/{tree['metadata']['name']}"] = tree
        self._answer(201, json.dumps(tree))

    def do_PUT(self) -> None:
        self._note()
        tree = self._body()
        if self.server.conflicts:
            self.server.conflicts -= 1
            self._answer(409, json.dumps({"message": "it has changed"}))
            return
        self.server.objects[self.path] = tree
        self._answer(200, json.dumps(tree))

    def do_DELETE(self) -> None:
        self._note()
        self.server.objects.pop(self.path)
        self._answer(200, "{}")

    def _note(self) -> None:
        self.server.asked.append(f"{self.command} {self.path.rpartition('/')[2]}")

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def api() -> Iterator[API]:
    with API() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def client(api: API) -> Client:
    return Client(api.server_address[1])


def state(status: str, message: str = "", generation: int = 1) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": status, "message": message}]
    told = {
        "observedGeneration": generation,
        "conditions": conditions,
        "url": "http://web.default.localhost",
        "latestReadyRevisionName": "web-00001",
    }
    return {**SERVICE, "status": told}


def test_a_service_is_made_and_then_updated(api: API, client: Client) -> None:
    assert put_service(client, "default", SERVICE)[1]
    assert not put_service(client, "default", SERVICE)[1]
    assert api.asked == ["GET web", "POST services", "GET web", "PUT web"]


def test_an_update_that_comes_too_late_is_tried_again_three_times(api: API, client: Client) -> None:
    put_service(client, "default", SERVICE)
    api.objects["/api/v1/namespaces/default"] = {}
    api.conflicts = 3
    put_service(client, "default", SERVICE)
    api.conflicts = 4
    with pytest.raises(Conflict):
        put_service(client, "default", SERVICE)


def test_it_waits_for_the_generation_that_it_has_written(api: API, client: Client) -> None:
    api.script = [[state("True", generation=0), state("Unknown", "starting"), state("True")]]
    said: list[str] = []
    done = wait_ready(client, "default", SERVICE, True, said.append)
    assert (done.url, done.revision) == ("http://web.default.localhost", "web-00001")
    assert said == ["starting"]


def test_a_failure_counts_once_it_has_lasted(api: API, client: Client) -> None:
    api.script = [[state("False", "no such image")], [state("False", "no such image")]]
    with pytest.raises(KnliteError) as failed:
        wait_ready(client, "default", SERVICE, True, print)
    assert failed.value.cause == "no such image"
    assert api.asked == ["WATCH 120", "WATCH 2"]


def test_a_failure_that_passes_is_none(api: API, client: Client) -> None:
    api.script = [[state("False", "not yet")], [state("False", "not yet"), state("True")]]
    assert wait_ready(client, "default", SERVICE, False, print).uid == "u"


def test_what_never_becomes_ready_is_given_up(
    api: API, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deploying, "WITHIN", 0.2)
    api.script = [[state("Unknown", "pulling")] for _ in range(1000)]
    with pytest.raises(KnliteError, match="not ready after") as failed:
        wait_ready(client, "default", SERVICE, False, print)
    assert failed.value.cause == "pulling"


def test_all_that_is_missing_is_told_at_once(api: API, client: Client) -> None:
    api.objects["/api/v1/namespaces/default/secrets/there"] = {}
    needed = [Reference("Secret", name) for name in ("there", "a", "b")]
    with pytest.raises(KnliteError) as refused:
        require_present(client, "default", needed)
    assert str(refused.value).startswith(
        "error(s) while validating resources:\n"
        '  referenced Secret "a" is not present in namespace "default"\n'
        '  referenced Secret "b" is not present in namespace "default"'
    )
    require_present(client, "default", needed[:1])


def test_a_subscription_to_a_broker_that_is_not_there_is_told(
    api: API, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    trigger = {"metadata": {"name": "web-function-trigger-0"}, "spec": {"broker": "shop"}}
    assert put_triggers(client, "default", "web", "u", [trigger])
    said = capsys.readouterr().err
    assert "🎯 Creating Triggers on the cluster" in said
    assert 'no Broker "shop"' in said
    assert not put_triggers(client, "default", "web", "u", [trigger])
    assert put_triggers(client, "default", "web", "u", [])
    assert not [path for path in api.objects if "trigger" in path]


def test_a_knlite_of_another_version_is_called_that(api: API, client: Client) -> None:
    with pytest.raises(Unreachable, match="another version"):
        client.runtime()
    api.objects["/knlite/gateway"] = {"url": "http://127.0.0.1:8080"}
    assert client.gateway() == "http://127.0.0.1:8080"
    with pytest.raises(Unreachable, match="another version"):
        client.runtime()
