"""The admin port: discovery, health, its own logs, and errors as Status."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from knlite.facts import LogLine
from knlite.telemetry.logs import Logs
from tests.unit.apiserver.asking import Client, line, streaming
from tests.unit.registry.desk import registry


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


@pytest.mark.parametrize("query", ["", "?tail=1"])
def test_logs_are_lines_of_json(client: Client, query: str) -> None:
    client.logs.read(line())
    (found,) = client.get(f"/knlite/logs/default/web{query}").text.splitlines()
    assert json.loads(found)["text"] == "hello"


async def test_followed_logs_end_with_the_run(client: Client) -> None:
    client.logs.read(line())
    async with streaming(client.door, "/knlite/logs/default/web?follow=true") as stream:
        assert json.loads(await stream.line())["text"] == "hello"
        client.logs.read(line("more"))
        assert json.loads(await stream.line())["text"] == "more"
        client.door.ending.end()
        await stream.end()


class Noting(Logs):
    """Notes that it is followed no more."""

    closed = False

    async def follow(
        self, namespace: str, service: str, count: int | None = None
    ) -> AsyncGenerator[LogLine, None]:
        try:
            async with aclosing(super().follow(namespace, service, count)) as lines:
                async for each in lines:
                    yield each
        finally:
            self.closed = True


async def test_a_client_that_leaves_follows_no_more() -> None:
    logs = Noting()
    logs.read(line())
    client = Client(registry(), logs=logs)
    async with streaming(client.door, "/knlite/logs/default/web?follow=true") as stream:
        await stream.line()
        assert not logs.closed
    assert logs.closed


def test_a_service_is_brought_to_zero_unless_it_is_busy(client: Client) -> None:
    path = "/knlite/services/default/web/rest"
    assert client.ask("POST", path).status_code == 204
    assert client.rested == ["default/web"]
    client.busy = True
    answer = client.ask("POST", path)
    assert answer.status_code == 409
    assert "1 request is under way" in answer.json()["message"]
    assert client.get(path).status_code == 405


def test_a_failure_of_knlite_itself_is_a_status(client: Client) -> None:
    client.health.broken = True
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (500, "InternalError")
    assert "ZeroDivisionError" not in answer.text


def test_it_tells_where_the_gateway_is_and_what_runs_functions() -> None:
    told = Client(registry()).get("/knlite/gateway").json()
    assert told == {"url": "http://127.0.0.1:8080", "runtime": "process"}
