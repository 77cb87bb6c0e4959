"""Watches (Kubernetes API concepts; clients-api reference, Part 5)."""

from typing import Any

import anyio
import pytest

from knlite.apiserver.app import Door
from knlite.apiserver.documents import BATCH
from tests.unit.apiserver.asking import BROKERS, TABLE, Client, streaming
from tests.unit.registry.desk import broker


async def events(door: Door, path: str, count: int, **headers: str) -> list[tuple[str, Any]]:
    async with streaming(door, path, headers) as stream:
        return [await stream.event() for _ in range(count)]


@pytest.mark.parametrize("version", ["", "&resourceVersion=0"])
async def test_without_a_version_a_watch_begins_with_what_exists(
    client: Client, version: str
) -> None:
    async with streaming(client.door, f"{BROKERS}?watch=true{version}") as stream:
        kind, obj = await stream.event()
        assert (kind, obj["kind"], obj["metadata"]["name"]) == ("ADDED", "Broker", "b")
        client.registry.create(broker("c"), user="test")
        kind, obj = await stream.event()
        assert (kind, obj["metadata"]["name"]) == ("ADDED", "c")


async def test_with_a_version_only_what_came_after(client: Client) -> None:
    version = client.registry.version
    created = client.registry.create(broker("c"), user="test")
    ((kind, obj),) = await events(client.door, f"{BROKERS}?watch=1&resourceVersion={version}", 1)
    assert (kind, obj["metadata"]["uid"]) == ("ADDED", created.metadata.uid)


async def test_a_watch_of_one_name_is_told_of_nothing_else(client: Client) -> None:
    for path in (f"{BROKERS}?watch=true&fieldSelector=metadata.name%3Dc", f"{BROKERS}/c?watch=1"):
        client.registry.create(broker("c"), user="test")
        ((kind, obj),) = await events(client.door, path, 1)
        assert (kind, obj["metadata"]["name"]) == ("ADDED", "c")
        client.registry.delete_collection(
            type(broker()), "default", predicate=lambda o: o.metadata.name == "c"
        )


async def test_the_end_of_an_object_has_a_version_of_its_own(client: Client) -> None:
    async with streaming(client.door, f"{BROKERS}?watch=true") as stream:
        _, first = await stream.event()
        client.registry.delete_collection(type(broker()), "default")
        kind, obj = await stream.event()
        assert kind == "DELETED"
        versions = [int(each["metadata"]["resourceVersion"]) for each in (first, obj)]
        assert versions[0] < versions[1]


async def test_a_watch_as_a_table_has_its_heads_once(client: Client) -> None:
    client.registry.create(broker("c"), user="test")
    first, second = await events(client.door, f"{BROKERS}?watch=true", 2, **TABLE)
    assert first[1]["kind"] == "Table"
    assert first[1]["columnDefinitions"]
    assert first[1]["rows"][0]["cells"][0] == "b"
    assert second[1]["columnDefinitions"] is None


async def test_a_watch_ends_when_it_was_told_to(client: Client) -> None:
    path = f"{BROKERS}?watch=true&timeoutSeconds=0&allowWatchBookmarks=true"
    async with streaming(client.door, path) as stream:
        assert (await stream.event())[0] == "ADDED"
        kind, mark = await stream.event()
        assert (kind, mark["kind"]) == ("BOOKMARK", "Broker")
        assert mark["metadata"]["resourceVersion"] == str(client.registry.version)
        await stream.end()


async def test_initial_events_end_with_a_bookmark(client: Client) -> None:
    path = (
        f"{BROKERS}?watch=true&sendInitialEvents=true&allowWatchBookmarks=true"
        "&resourceVersionMatch=NotOlderThan&resourceVersion=1"
    )
    added, marked = await events(client.door, path, 2)
    assert added[0] == "ADDED"
    assert marked[0] == "BOOKMARK"
    assert marked[1]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_a_watch_ends_with_the_run(client: Client) -> None:
    async with streaming(client.door, f"{BROKERS}?watch=true") as stream:
        await stream.event()
        client.door.ending.end()
        await stream.end()


async def test_a_version_that_is_not_known_is_expired(client: Client) -> None:
    async with streaming(client.door, f"{BROKERS}?watch=true&resourceVersion=999999") as stream:
        line = await stream.line()
        assert stream.status == 410
        assert b'"reason":"Expired"' in line


@pytest.mark.parametrize(
    "query",
    [
        "watch=maybe",
        "watch=1&resourceVersion=x",
        "watch=1&timeoutSeconds=-1",
        "watch=1&labelSelector=((",
    ],
)
def test_what_cannot_be_read_is_a_bad_request(client: Client, query: str) -> None:
    answer = client.get(
        f"{BROKERS}?watch=true&{query}" if "watch" not in query else f"{BROKERS}?{query}"
    )
    assert (answer.status_code, answer.json()["reason"]) == (400, "BadRequest")


async def test_a_client_that_goes_leaves_nothing_behind(client: Client) -> None:
    async with streaming(client.door, f"{BROKERS}?watch=true") as stream:
        await stream.event()
    await anyio.lowlevel.checkpoint()
    assert not client.door.ending.waiting


async def test_many_objects_begin_a_watch(client: Client) -> None:
    for index in range(2 * BATCH):
        client.registry.create(broker(f"c{index:04}"), user="test")
    found = await events(client.door, f"{BROKERS}?watch=true", 2 * BATCH + 1)
    names = [obj["metadata"]["name"] for _, obj in found]
    assert names == ["b", *(f"c{index:04}" for index in range(2 * BATCH))]
