"""The admin port: Kubernetes' shapes, health, and who may ask."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import anyio
import httpx
import pytest
from starlette.applications import Starlette

from knlite.apiserver.app import make_app
from knlite.facts import LogLine
from tests.unit.registry.test_registry import broker, registry

LINE = LogLine(
    at=datetime(2026, 1, 2, tzinfo=UTC),
    namespace="default",
    service="web",
    revision="web-00001",
    instance="web-00001-x",
    stream="stdout",
    text="hello",
)


class Logs:
    def tail(self, namespace: str, service: str, count: int | None = None) -> list[LogLine]:
        return [LINE] if (namespace, service) == ("default", "web") else []

    async def follow(
        self, namespace: str, service: str, count: int | None = None
    ) -> AsyncIterator[LogLine]:
        yield LINE


class Health:
    def __init__(self) -> None:
        self.waiting = ["Service default/web: Deploying"]

    def unsettled(self) -> list[str]:
        return self.waiting


class Client:
    """Asks the application itself, without a socket."""

    def __init__(self, app: Starlette, health: Health) -> None:
        self.health = health
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return anyio.run(self._request, "GET", path, headers)

    def delete(self, path: str) -> httpx.Response:
        return anyio.run(self._request, "DELETE", path, None)

    async def _request(
        self, method: str, path: str, headers: dict[str, str] | None
    ) -> httpx.Response:
        base = "http://127.0.0.1:8081"
        async with httpx.AsyncClient(transport=self._transport, base_url=base) as http:
            return await http.request(method, path, headers=headers)


@pytest.fixture
def client() -> Client:
    desk = registry()
    desk.create(broker(), user="test")
    health = Health()
    door = make_app(
        desk,
        logs=Logs(),
        health=health,
        metrics=lambda: (b"x 1\n", "text/plain"),
        wall=lambda: datetime(2026, 1, 2, tzinfo=UTC),
    )
    return Client(door.app, health)


def test_an_object_is_served_as_a_document(client: Client) -> None:
    found = client.get("/apis/eventing.knative.dev/v1/namespaces/default/brokers/b").json()
    assert (found["apiVersion"], found["kind"]) == ("eventing.knative.dev/v1", "Broker")
    assert found["metadata"]["name"] == "b"


def test_lists_are_of_one_namespace_or_of_all(client: Client) -> None:
    for path in ("namespaces/default/brokers", "brokers"):
        found = client.get(f"/apis/eventing.knative.dev/v1/{path}").json()
        assert found["kind"] == "BrokerList"
        assert [item["metadata"]["name"] for item in found["items"]] == ["b"]
    core = client.get("/api/v1/namespaces").json()
    assert [item["metadata"]["name"] for item in core["items"]] == ["default", "knative-serving"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/apis/eventing.knative.dev/v1/namespaces/default/brokers/no",
         'brokers.eventing.knative.dev "no" not found'),
        ("/apis/eventing.knative.dev/v1/nonsense",
         "the server could not find the requested resource"),
        ("/nowhere", "the server could not find the requested resource"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_a_status(client: Client, path: str, message: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    status = answer.json()
    assert (status["kind"], status["reason"], status["message"]) == ("Status", "NotFound", message)


def test_an_object_is_deleted(client: Client) -> None:
    path = "/apis/eventing.knative.dev/v1/namespaces/default/brokers/b"
    assert client.delete(path).json()["status"] == "Success"
    assert client.get(path).status_code == 404


def test_ready_says_what_it_waits_for(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "Service default/web: Deploying" in answer.text
    client.health.waiting = []
    assert client.get("/readyz").text == "ok"
    assert client.get("/livez").text == "ok"
    assert client.get("/metrics").text == "x 1\n"


@pytest.mark.parametrize("query", ["", "?tail=1", "?follow=true"])
def test_logs_are_lines_of_json(client: Client, query: str) -> None:
    (line,) = client.get(f"/knlite/logs/default/web{query}").text.splitlines()
    assert json.loads(line)["text"] == "hello"


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Host": "evil.example:8081"}, id="a name that was rebound"),
        pytest.param({"Origin": "http://evil.example"}, id="a page of somebody else"),
    ],
)
def test_only_loopback_names_are_answered(client: Client, headers: dict[str, str]) -> None:
    assert client.get("/api/v1/namespaces", headers=headers).status_code == 403


@pytest.mark.parametrize("host", ["localhost:8081", "127.0.0.1:8081", "[::1]:8081", "localhost"])
def test_every_name_of_loopback_will_do(client: Client, host: str) -> None:
    assert client.get("/livez", headers={"Host": host}).status_code == 200
