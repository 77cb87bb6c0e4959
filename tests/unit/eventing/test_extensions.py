"""Extensions that brokers set (Eventing data plane reference §0, §1.2, §4.2)."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.extensions import MAX_TTL, arrived, arriving_ttl, dead_letter

LEAST = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}


def with_ttl(text: str) -> CloudEvent:
    return CloudEvent({**LEAST, "knativebrokerttl": text})


@pytest.mark.parametrize(
    ("text", "ttl"),
    [
        pytest.param("2", 1, id="one less"),
        pytest.param("1", 0, id="spent here"),
        pytest.param("0", 0, id="spent before"),
        pytest.param("-7", 0, id="below zero"),
        pytest.param("255", 254, id="as a broker sends it"),
        pytest.param("10.9", 9, id="fractions are cut"),
        pytest.param("1e2", 99, id="exponent"),
        pytest.param("1000", 999, id="more than a broker would give"),
        pytest.param("", MAX_TTL, id="empty"),
        pytest.param("many", MAX_TTL, id="word"),
        pytest.param("nan", MAX_TTL, id="not a number"),
        pytest.param("inf", MAX_TTL, id="infinite"),
        pytest.param("1e300", MAX_TTL, id="beyond 32 bits"),
        pytest.param("1e999", MAX_TTL, id="beyond any range"),
        pytest.param("1_0", MAX_TTL, id="underscore"),
        pytest.param("٣", MAX_TTL, id="digit of another script"),
    ],
)
def test_an_arriving_event_has_one_less_to_live(text: str, ttl: int) -> None:
    assert arriving_ttl(with_ttl(text)) == ttl


def test_an_event_without_time_to_live_gets_the_most() -> None:
    assert arriving_ttl(CloudEvent(LEAST)) == 255


@given(st.text(max_size=12) | st.floats().map(str) | st.integers().map(str))
def test_any_text_gives_a_time_to_live(text: str) -> None:
    assert 0 <= arriving_ttl(with_ttl(text)) < 2**31


def test_triggers_see_the_arrival_and_no_time_to_live() -> None:
    event = CloudEvent({**LEAST, "knativebrokerttl": "9", "knativearrivaltime": "earlier"})
    seen = arrived(event, datetime(2024, 5, 1, 12, 0, 0, 250000, UTC))
    assert seen.attributes == {**LEAST, "knativearrivaltime": "2024-05-01T12:00:00.25Z"}


def test_a_dead_letter_says_what_failed_and_keeps_its_time_to_live() -> None:
    event = CloudEvent(LEAST, "text/plain", b"data")
    letter = dead_letter(event, 254, "http://x/y", 503, b"busy")
    assert letter.attributes == {
        **LEAST,
        "knativebrokerttl": "254",
        "knativeerrordest": "http://x/y",
        "knativeerrorcode": "503",
        "knativeerrordata": base64.b64encode(b"busy").decode(),
    }
    assert (letter.content_type, letter.data) == ("text/plain", b"data")


def test_no_answer_counts_as_500_and_no_body_as_the_empty_text() -> None:
    letter = dead_letter(CloudEvent(LEAST), 1, "http://x", 0, b"")
    assert letter.attributes["knativeerrorcode"] == "500"
    assert letter.attributes["knativeerrordata"] == ""


def test_what_is_there_of_an_earlier_failure_stays() -> None:
    first = dead_letter(CloudEvent(LEAST), 1, "http://first", 400, b"1")
    assert dead_letter(first, 1, "http://second", 503, b"2") == first


@given(st.binary(max_size=2000))
def test_error_data_is_at_most_1024_characters_of_base64(body: bytes) -> None:
    data = dead_letter(CloudEvent(LEAST), 1, "http://x", 500, body).attributes["knativeerrordata"]
    assert len(data) <= 1024
    assert base64.b64decode(data, validate=True) == body[:768]
