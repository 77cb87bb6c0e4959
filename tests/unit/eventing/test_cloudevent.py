"""What makes a valid event (Eventing data plane reference §0, §1.3)."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.eventing.cloudevent import (
    CloudEvent,
    Draft,
    Malformed,
    checked,
    in_utc,
    timestamp,
)

LEAST = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        pytest.param("2024-05-01T14:48:09+02:00", "2024-05-01T12:48:09Z", id="east"),
        pytest.param("2024-05-01T14:48:09-02:30", "2024-05-01T17:18:09Z", id="west"),
        pytest.param("2024-05-01T14:48:09Z", "2024-05-01T14:48:09Z", id="already UTC"),
        pytest.param("2024-05-01t14:48:09z", "2024-05-01T14:48:09Z", id="lower case"),
        pytest.param("2024-05-01T14:48:09.120Z", "2024-05-01T14:48:09.12Z", id="trailing zeros"),
        pytest.param("2024-05-01T14:48:09.000Z", "2024-05-01T14:48:09Z", id="only zeros"),
        pytest.param(
            "2024-05-01T14:48:09.123456789123Z", "2024-05-01T14:48:09.123456789Z", id="nanoseconds"
        ),
        pytest.param("0999-05-01T14:48:09Z", "0999-05-01T14:48:09Z", id="early year"),
        pytest.param("2024-05-01", None, id="no time of day"),
        pytest.param("2024-05-01T14:48:09", None, id="no zone"),
        pytest.param("2024-02-30T14:48:09Z", None, id="no such day"),
        pytest.param("2024-05-01 14:48:09Z", None, id="blank between"),
        pytest.param("٢٠٢٤-05-01T14:48:09Z", None, id="digits of another script"),
        pytest.param("0001-01-01T00:00:00+01:00", None, id="before the first year"),
        pytest.param("", None, id="empty"),
    ],
)
def test_times_come_out_in_utc(text: str, utc: str | None) -> None:
    assert in_utc(text) == utc


@given(
    st.datetimes(
        timezones=st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m))),
        min_value=datetime(2, 1, 1),  # noqa: DTZ001  the zone is drawn beside it
        max_value=datetime(9998, 1, 1),  # noqa: DTZ001
    )
)
def test_a_timestamp_is_the_same_moment_in_its_shortest_form(moment: datetime) -> None:
    text = timestamp(moment)
    assert datetime.fromisoformat(text) == moment
    assert in_utc(moment.isoformat()) == text == in_utc(text)


def test_a_timestamp_has_no_trailing_zeros() -> None:
    assert timestamp(datetime(2024, 5, 1, 12, tzinfo=UTC)) == "2024-05-01T12:00:00Z"
    assert timestamp(datetime(2024, 5, 1, 12, 0, 0, 500000, UTC)) == "2024-05-01T12:00:00.5Z"


@pytest.mark.parametrize("version", ["1.0", "0.3"])
def test_versions_are_kept_as_they_are(version: str) -> None:
    event = checked(Draft({**LEAST, "specversion": version}))
    assert isinstance(event, CloudEvent)
    assert event.attributes["specversion"] == version


@pytest.mark.parametrize(
    ("changes", "content_type", "why"),
    [
        pytest.param({"specversion": "2.0"}, None, "specversion", id="another version"),
        pytest.param({"specversion": ""}, None, "specversion is missing", id="no version"),
        pytest.param({"id": ""}, None, "id is missing", id="empty id"),
        pytest.param({"source": " "}, None, "source is missing", id="blank source"),
        pytest.param({"type": "\t"}, None, "type is missing", id="blank type"),
        pytest.param({"dataschema": "/x"}, None, "dataschema", id="relative schema"),
        pytest.param({"dataschema": "http://["}, None, "dataschema", id="schema that is no URI"),
        pytest.param({"time": "now"}, None, "time", id="time"),
        pytest.param({}, "a b", "datacontenttype", id="media type"),
        pytest.param({"x": "a\r\nHost: b"}, None, "x holds", id="line break"),
        pytest.param({}, "text/plain;\rx", "datacontenttype holds", id="line break in media type"),
    ],
)
def test_an_event_that_is_not_valid_says_why(
    changes: dict[str, str], content_type: str | None, why: str
) -> None:
    found = checked(Draft({**LEAST, **changes}, content_type))
    assert isinstance(found, Malformed)
    assert why in found.why


@pytest.mark.parametrize("name", ["id", "source", "type"])
def test_required_attributes_must_be_there(name: str) -> None:
    draft = Draft({key: value for key, value in LEAST.items() if key != name})
    assert checked(draft) == Malformed(f"{name} is missing")


def test_a_content_type_is_not_invented() -> None:
    assert checked(Draft(LEAST, None, b"{}")) == CloudEvent(LEAST, None, b"{}")


def test_attributes_are_set_and_left_out() -> None:
    event = CloudEvent({**LEAST, "a": "1", "b": "2"})
    assert event.with_attributes(a=None, b="3", c="4").attributes == {**LEAST, "b": "3", "c": "4"}


def test_an_extension_may_have_any_name_that_python_knows() -> None:
    event = CloudEvent({**LEAST, "self": "here", "class": "a"})
    assert event.with_attributes(self="there").attributes["self"] == "there"
    assert event.with_attributes(**event.attributes) == event
