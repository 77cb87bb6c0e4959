"""``/knlite/events`` and its neighbors on the admin port (docs/events.md)."""

import json
from typing import Any
from urllib.parse import quote

import anyio
import pytest

from knlite.apiserver import eventroutes
from knlite.eventing.topology import ResourceKey
from tests.unit.apiserver.asking import Client, streaming
from tests.unit.registry.desk import registry
from tests.unit.telemetry.eventfacts import Taken, accepted, attempted, egress

STRUCTURED = {"Content-Type": "application/cloudevents+json"}
EVENT = {"specversion": "1.0", "id": "e", "source": "/s", "type": "t", "data": {"x": 1}}


@pytest.fixture
def client() -> Client:
    made = Client(registry())
    made.events.read(egress("a", type="t"))
    made.events.read(accepted(1000))
    made.events.read(attempted(1000, outcome="failed", why="no"))
    return made


def posted(client: Client, path: str, body: Any = EVENT, **headers: str) -> tuple[int, Any]:
    answer = client.ask("POST", path, body, {**STRUCTURED, **headers})
    return answer.status_code, answer.json()


def test_events_are_listed(client: Client) -> None:
    (found,) = client.get("/knlite/events").json()["events"]
    assert (found["arrival"], found["state"], found["to"]["name"]) == (1000, "failed", "b")
    assert client.get("/knlite/events?type=other").json()["events"] == []
    assert client.get("/knlite/events?broker=ns/b&limit=0").json()["events"] == []
    assert client.get("/knlite/events?broker=b").json()["events"] == []


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("state=failed", 1),
        ("state=cut%20off", 0),
        ("text=E%20t", 1),
        ("text=nothing", 0),
        ("subject=x", 0),
        ("egress=ns/a", 1),
        ("egress=Trigger/ns/b,Trigger/ns/a", 1),
        ("egress=a", 0),
        ("before=1000", 0),
        ("before=1001&since=1000", 1),
    ],
)
def test_events_are_searched(client: Client, query: str, count: int) -> None:
    assert len(client.get(f"/knlite/events?{query}").json()["events"]) == count


def test_dead_letters_are_searched(client: Client) -> None:
    assert len(client.get("/knlite/dead-letters?state=failed").json()["deadLetters"]) == 1
    assert client.get("/knlite/dead-letters?state=dead-lettered").json()["deadLetters"] == []


def test_what_came_of_an_event_is_a_tree(client: Client) -> None:
    client.events.read(accepted(2000))
    client.events.read(attempted(1000, leg="reply", entered=2000))
    tree = client.get("/knlite/events/1000?tree=true").json()
    assert [child["event"]["arrival"] for child in tree["children"]] == [2000]
    assert tree["children"][0]["via"] == {"kind": "Trigger", "namespace": "ns", "name": "a"}
    assert client.get("/knlite/events/5?tree=true").status_code == 404


def test_a_row_has_the_filter_and_the_parts_that_decided(client: Client) -> None:
    (row,) = client.get("/knlite/events/1000").json()["rows"]
    assert row["filter"] == {"filter": {"attributes": {"type": "t"}}}
    (part,) = row["parts"]
    assert (part["path"], part["seen"]) == ("filter.attributes[type]", {"type": "t"})


def test_a_story_is_answered_by_id_and_by_arrival(client: Client) -> None:
    (story,) = client.get("/knlite/explain?id=e").json()["stories"]
    assert story == client.get("/knlite/events/1000").json()
    for seconds in (60, 10**17):
        assert story == client.get(f"/knlite/events/1000?wait={seconds}").json()
    assert story["rows"][0]["attempts"][0]["why"] == "no"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/knlite/events?limit=many", 400),
        ("/knlite/events?since=-1", 400),
        ("/knlite/events?follow=perhaps", 400),
        ("/knlite/events?broker=a/b/c", 400),
        ("/knlite/events?state=lost", 400),
        ("/knlite/events?broker=/", 400),
        ("/knlite/events?broker=a&channel=b", 400),
        ("/knlite/events/5", 404),
        (f"/knlite/events/{9**30}", 404),
        (f"/knlite/events/{'9' * 5000}", 404),
        ("/knlite/events/٣", 404),
        ("/knlite/events/x", 404),
        ("/knlite/explain", 400),
        (f"/knlite/explain?id={quote('../../etc/passwd')}", 404),
        (f"/knlite/explain?id={quote(chr(0))}", 404),
        ("/knlite/replay", 405),
    ],
)
def test_what_cannot_be_answered_says_so(client: Client, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.json()["kind"] == "Status"


def test_an_event_is_sent_in_either_form(client: Client) -> None:
    status, sent = posted(client, "/knlite/events")
    assert (status, sent["arrival"], sent["to"]["name"]) == (202, 7000, "b")
    binary = {"Ce-Specversion": "1.0", "Ce-Id": "e", "Ce-Source": "/s", "Ce-Type": "t"}
    status, sent = posted(client, "/knlite/events?broker=ns/b", b"hi", **binary, **{
        "Content-Type": "text/plain"
    })  # fmt: skip
    assert status == 202
    (first, second) = client.entrance.came
    assert first[0] == ResourceKey("Broker", "ns", "b")
    assert (first[1].data, second[1].data) == (b'{"x":1}', b"hi")


def test_an_event_may_be_as_large_as_a_broker_takes_it(client: Client) -> None:
    binary = {"Ce-Specversion": "1.0", "Ce-Id": "e", "Ce-Source": "/s", "Ce-Type": "t"}
    plain = {**binary, "Content-Type": "text/plain"}
    assert posted(client, "/knlite/events", b"x" * (4 * 1024 * 1024), **plain)[0] == 202
    assert posted(client, "/knlite/events", b"x" * (45 * 1024 * 1024), **plain)[0] == 413


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), ([EVENT], 400), ({**EVENT, "id": ""}, 400), (b"[" * 100_000, 400)],
)
def test_what_is_no_event_is_not_sent(client: Client, body: Any, status: int) -> None:
    assert posted(client, "/knlite/events", body)[0] == status
    assert posted(client, "/knlite/explain", body)[0] == status
    assert not client.entrance.came


@pytest.mark.parametrize(("refusal", "status"), [(400, 400), (404, 404), (503, 429)])
def test_a_refusal_is_passed_on(client: Client, refusal: int, status: int) -> None:
    client.entrance.answer = Taken(0, refusal, b"because")
    answered, document = posted(client, "/knlite/events?broker=ns/b")
    assert (answered, document["message"]) == (status, "because")


def test_an_event_is_sent_straight_to_a_url(client: Client) -> None:
    status, sent = posted(client, f"/knlite/events?to={quote('http://x/')}")
    assert (status, sent["status"], client.posts.got[0][0]) == (200, 202, "http://x/")
    assert posted(client, "/knlite/events?to=http://x/&broker=b")[0] == 400


def test_nobody_would_get_an_event_from_a_broker_that_is_not_there(client: Client) -> None:
    status, said = posted(client, "/knlite/explain?broker=ns/nope")
    assert (status, said["message"]) == (404, "there is no Broker ns/nope")


def test_who_would_get_an_event_is_said_without_sending_it(client: Client) -> None:
    _, found = posted(client, "/knlite/explain?broker=ns/b", {**EVENT, "type": "z"})
    assert [(row["name"], row["matched"]) for row in found["rows"]] == [("a", False)]
    assert not client.entrance.came


def test_dead_letters_are_listed_and_sent_again(client: Client) -> None:
    (letter,) = client.get("/knlite/dead-letters").json()["deadLetters"]
    assert (letter["why"], letter["egress"]["name"]) == ("no", "a")
    _, found = posted(client, "/knlite/dead-letters/redrive?dryRun=true")
    assert [each["status"] for each in found["sent"]] == [0]
    _, found = posted(client, "/knlite/dead-letters/redrive?arrival=1000&trigger=ns/a")
    assert [each["arrival"] for each in found["sent"]] == [7000]
    assert client.entrance.came[0][2:] == (frozenset("a"), 1000)
    assert posted(client, "/knlite/dead-letters/redrive?id=none")[0] == 404


def test_replays_are_explicit(client: Client) -> None:
    assert posted(client, "/knlite/replay")[0] == 400
    assert posted(client, "/knlite/replay?type=t")[0] == 400
    _, found = posted(client, "/knlite/replay?id=e&trigger=a")
    assert [each["replayOf"] for each in found["sent"]] == [1000]
    assert posted(client, "/knlite/replay?since=1&trigger=none")[0] == 404


def test_the_token_is_wanted_here_too() -> None:
    client = Client(registry(), token="secret")
    assert client.get("/knlite/events").status_code == 401
    assert posted(client, "/knlite/replay?since=1")[0] == 401


async def test_who_follows_sees_events_until_the_run_ends() -> None:
    client = Client(registry())
    client.events.read(egress("a"))
    async with streaming(client.door, "/knlite/events?follow=true&type=t") as stream:
        await anyio.wait_all_tasks_blocked()
        client.events.read(accepted(1000))
        assert json.loads(await stream.line())["state"] == "delivering"
        client.events.read(attempted(1000))
        assert json.loads(await stream.line())["state"] == "delivered"
        client.door.ending.end()
        await stream.end()


async def test_a_wait_ends_with_the_event_or_with_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = Client(registry())
    client.events.read(egress("a"))
    client.events.read(accepted(1000))
    async with streaming(client.door, "/knlite/events/1000?wait=3600") as stream:
        await anyio.wait_all_tasks_blocked()
        client.events.read(attempted(1000))
        assert json.loads(await stream.line())["state"] == "delivered"
    client.events.read(accepted(2000))
    monkeypatch.setattr(eventroutes, "MAX_WAIT", 0.01)
    async with streaming(client.door, "/knlite/events/2000?wait=3600") as stream:
        assert json.loads(await stream.line())["state"] == "delivering"
