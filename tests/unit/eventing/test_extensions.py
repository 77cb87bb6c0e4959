"""Time to live, arrival, dead letters (Eventing data plane reference §1.2, §4.2)."""

import base64
from datetime import UTC, datetime

import pytest

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.extensions import arrived, arriving_ttl, dead_letter


def event(**extensions: str) -> CloudEvent:
    return CloudEvent({"specversion": "1.0", "id": "1", "source": "/s", "type": "t", **extensions})


@pytest.mark.parametrize(
    ("text", "left"),
    [(None, 255), ("soon", 255), ("10", 9), ("10.9", 9), ("2", 1), ("1", 0), ("0", 0), ("-5", 0)],
)
def test_the_time_to_live_on_arrival(text: str | None, left: int) -> None:
    found = event() if text is None else event(knativebrokerttl=text)
    assert arriving_ttl(found) == left


def test_triggers_see_the_arrival_and_not_the_time_to_live() -> None:
    found = arrived(
        event(knativebrokerttl="9", knativearrivaltime="x"), datetime(2026, 1, 2, tzinfo=UTC)
    )
    assert "knativebrokerttl" not in found.attributes
    assert found.attributes["knativearrivaltime"].startswith("2026-01-02T00:00:00")


def test_a_dead_letter_says_where_and_why() -> None:
    found = dead_letter(event(), 7, "http://x/", 503, b"busy").attributes
    assert found["knativeerrordest"] == "http://x/"
    assert found["knativeerrorcode"] == "503"
    assert base64.b64decode(found["knativeerrordata"]) == b"busy"
    assert found["knativebrokerttl"] == "7"


def test_no_answer_counts_as_500_and_long_bodies_are_cut() -> None:
    found = dead_letter(event(), 7, "http://x/", 0, b"x" * 5000).attributes
    assert found["knativeerrorcode"] == "500"
    assert len(found["knativeerrordata"]) == 1024


def test_what_an_earlier_failure_said_stays() -> None:
    found = dead_letter(event(knativeerrordest="http://first/"), 7, "http://second/", 500, b"")
    assert found.attributes["knativeerrordest"] == "http://first/"
