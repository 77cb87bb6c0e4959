"""What is kept of requests: the last, the last cold ones, and nothing secret in what is shown."""

import sys
from datetime import timedelta

import msgspec
import pytest

from knlite.facts import InstanceChanged, PreparationStep
from knlite.telemetry.keptheads import LONGEST
from knlite.telemetry.recentrequests import (
    KEPT,
    KEPT_COLD,
    WEIGHED,
    RecentRequests,
    RequestQuery,
)
from tests.unit.telemetry.requestfacts import NOW, done, start


def kept(*requests: dict[str, object]) -> RecentRequests:
    recent = RecentRequests()
    for fields in requests:
        recent.read(done(**fields))
    return recent


def ids(recent: RecentRequests, query: RequestQuery) -> list[str]:
    return [row.id for row in recent.find(query)]


def test_the_newest_come_first_and_cold_ones_outlast_a_flood_of_warm_ones() -> None:
    recent = kept({"request_id": b"cold", "cold": True, "cold_start": start()})
    for number in range(KEPT + 5):
        recent.read(done(request_id=b"%d" % number))
    rows = recent.find(RequestQuery(limit=KEPT + KEPT_COLD))
    assert len(rows) == KEPT + 1
    assert rows[0].id == str(KEPT + 4)
    assert (rows[-1].id, rows[-1].number, rows[-1].how) == ("cold", 1, "spawned")
    assert [row.number for row in rows[:-1]] == list(range(KEPT + 6, 6, -1))


def test_a_cold_one_among_the_last_is_shown_once() -> None:
    assert len(kept({"cold": True}).find(RequestQuery())) == 1


def test_a_row_says_when_the_request_arrived() -> None:
    (row,) = kept({"seconds": 1.5}).find(RequestQuery())
    assert row.at == NOW - timedelta(seconds=1.5)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (RequestQuery(service="api"), ["2"]),
        (RequestQuery(namespace="other"), []),
        (RequestQuery(status="5xx"), ["2"]),
        (RequestQuery(status="404"), ["3"]),
        (RequestQuery(status="failed"), ["4", "2"]),
        (RequestQuery(cold=True), ["1"]),
        (RequestQuery(cold=False), ["4", "3", "2"]),
        (RequestQuery(text="ORDERS"), ["3"]),
        (RequestQuery(event="e-1"), ["2"]),
        (RequestQuery(slower=2.0), ["2"]),
        (RequestQuery(limit=1), ["4"]),
    ],
)
def test_requests_are_found_by(query: RequestQuery, found: list[str]) -> None:
    recent = kept(
        {"request_id": b"1", "cold": True},
        {"request_id": b"2", "service": "api", "status": 503, "seconds": 2.0,
         "headers": [(b"Ce-Id", b"e-1")]},
        {"request_id": b"3", "status": 404, "target": b"/orders?page=2"},
        {"request_id": b"4", "status": 0},
    )  # fmt: skip
    assert ids(recent, query) == found


def test_an_id_that_a_client_uses_twice_leads_to_both_requests() -> None:
    recent = kept({"request_id": b"a/b", "status": 200}, {"request_id": b"a/b", "status": 500})
    last = recent.story("a/b")
    assert last is not None
    assert last.request.status == 500
    assert [row.status for row in last.same_id] == [200]
    first = recent.story("a/b", last.same_id[0].number)
    assert first is not None
    assert first.request.status == 200
    assert recent.story("a/b", 99) is None


def test_a_request_that_got_no_id_has_one_all_the_same() -> None:
    (row,) = kept({"instance": "", "status": 503, "why": "did not start"}).find(RequestQuery())
    assert recent_story_status(kept({"instance": "", "status": 503}), row.id) == 503


def recent_story_status(recent: RecentRequests, id_: str) -> int:
    story = recent.story(id_)
    assert story is not None
    return story.request.status


def test_secrets_in_headers_are_not_shown() -> None:
    headers = [
        (b"Authorization", b"Bearer s3cret"), (b"Cookie", b"s3cret"), (b"X-Api-Key", b"s3cret"),
        (b"User-Agent", b"curl"), (b"ce-id", b"1"), (b"ce-type", b"t"), (b"ce-secret", b"s3cret"),
    ]  # fmt: skip
    recent = kept({"request_id": b"1", "headers": headers})
    story = recent.story("1")
    assert story is not None
    assert story.headers == {"ce-id": "1", "ce-type": "t", "user-agent": "curl"}
    assert story.event is not None
    assert (story.event.id, story.event.type) == ("1", "t")
    assert b"s3cret" not in msgspec.json.encode((story, recent.find(RequestQuery())))


def test_bytes_that_are_no_text_are_shown_as_far_as_they_are() -> None:
    recent = kept({"request_id": b"\xff1", "target": b"/\xff<script>"})
    (row,) = recent.find(RequestQuery())
    assert row.path == "/\ufffd<script>"
    assert recent.story(row.id) is not None


def test_a_story_has_what_happened_to_the_revision_meanwhile() -> None:
    recent = RecentRequests()
    of = {"namespace": "default", "service": "web", "revision": "web-00001"}
    at = NOW - timedelta(seconds=0.5)
    for share in (0.1, 0.9):
        recent.note(PreparationStep(at=at, text="installs requests", share=share, **of))
    recent.note(InstanceChanged(at=at, instance="i", state="preparing", **of))
    recent.read(done(instance="", cold=True, status=504, first_byte=0.0, request_id=b"1"))
    story = recent.story("1")
    assert story is not None
    assert [note.text for note in story.waterfall.notes] == ["installs requests"]
    assert [stage.name for stage in story.waterfall.stages] == ["queued", "prepare"]


@pytest.mark.parametrize("cold", [False, True])
def test_heads_that_are_as_big_as_they_may_be_are_not_kept_whole(cold: bool) -> None:
    recent = RecentRequests()
    secrets = [(b"cookie", b"c" * 60_000), (b"Ce-Id", b"e-1"), (b"user-agent", b"curl")]
    for number in range(1, WEIGHED + 1):
        recent.read(done(cold=cold, headers=secrets, request_id=b"%d" % number, target=b"/orders"))
    recent.read(done(request_id=b"after"))
    assert sys.getrefcount(secrets) < 10
    (row,) = recent.find(RequestQuery(text="orders", event="e-1", limit=1))
    story = recent.story(row.id)
    assert story is not None
    assert (row.id, row.path, row.event) == (str(WEIGHED), "/orders", "e-1")
    assert story.record["httpRequest"]["userAgent"] == "curl"


def test_a_request_of_usual_weight_is_kept_as_it_came() -> None:
    heavy, usual = b"h" * 60_000, b"u" * 1000
    recent = RecentRequests()
    for number in range(WEIGHED):
        recent.read(done(target=heavy if number else usual))
    targets = {len(row.path) for row in recent.find(RequestQuery(limit=WEIGHED))}
    assert targets == {1000, LONGEST}
