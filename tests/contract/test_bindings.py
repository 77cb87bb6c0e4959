"""The reader of the bindings that other tests trust: it takes what is right and nothing else."""

import json

import pytest

from tests.e2e.bindings import UNSET_TIME, on_kafka, on_rabbitmq, structured

RECORD = [
    ("ce_specversion", b"1.0"),
    ("ce_id", b"1"),
    ("ce_source", b"/s"),
    ("ce_type", "größer".encode()),
    ("content-type", b"text/plain"),
    ("x-anything", b"of ours"),
]
MEMBERS = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
MESSAGE = {**MEMBERS, "time": UNSET_TIME, "content-type": "text/plain"}
PROPERTIES = {"content_type": "text/plain", "message_id": "1", "delivery_mode": 2}


def test_a_record_in_binary_mode() -> None:
    event = on_kafka(None, b"x", RECORD)
    assert event.data == b"x"
    assert event.attributes == {
        "specversion": "1.0",
        "id": "1",
        "source": "/s",
        "type": "größer",
        "datacontenttype": "text/plain",
    }
    assert on_kafka(b"k", None, [*RECORD, ("ce_partitionkey", b"k")]).data == b""


def test_a_record_in_structured_mode() -> None:
    headers = [("content-type", b"application/cloudevents+json; charset=utf-8")]
    event = on_kafka(None, json.dumps({**MEMBERS, "data": {"a": 1}, "n": 5}).encode(), headers)
    assert (event.data, event.attributes["n"]) == (b'{"a": 1}', "5")


@pytest.mark.parametrize(
    ("key", "value", "headers"),
    [
        (None, b"x", RECORD[1:]),
        (None, b"x", [*RECORD, ("ce_id", b"2")]),
        (None, b"x", [*RECORD, ("ce_datacontenttype", b"a/b")]),
        (None, b"x", [*RECORD, ("ce_not_a_name", b"1")]),
        (None, b"x", [*RECORD, ("ce_subject", b"")]),
        (None, b"x", [*RECORD, ("ce_time", b"today")]),
        (None, b"x", [*RECORD, ("ce_partitionkey", b"k")]),
        (b"k", b"x", RECORD),
        (None, b"", RECORD),
        (None, b"x", [*RECORD[:3], ("ce_type", b"\xff")]),
    ],
)
def test_a_record_that_breaks_a_rule(
    key: bytes | None, value: bytes, headers: list[tuple[str, bytes]]
) -> None:
    with pytest.raises((AssertionError, UnicodeDecodeError)):
        on_kafka(key, value, headers)


@pytest.mark.parametrize(
    "change", [{"data": 1, "data_base64": "AA=="}, {"time": 5}, {"id": ""}, {"ext": {"a": 1}}]
)
def test_a_json_text_that_breaks_a_rule(change: dict[str, object]) -> None:
    assert structured(json.dumps(MEMBERS).encode()).id == "1"
    with pytest.raises(AssertionError):
        structured(json.dumps({**MEMBERS, **change}).encode())


def test_a_message_as_knative_writes_it() -> None:
    event = on_rabbitmq({**MESSAGE, "x-ours": "1", "traceparent": "00-…"}, b"x", **PROPERTIES)
    assert event.attributes == {**MEMBERS, "time": UNSET_TIME, "datacontenttype": "text/plain"}


@pytest.mark.parametrize(
    ("change", "properties"),
    [
        ({"time": "2020-01-01T00:00:00+01:00"}, {}),
        ({"content-type": "a/b"}, {}),
        ({"Subject": "x"}, {}),
        ({"ce-subject": "x"}, {}),
        ({"table": {"a": 1}}, {}),
        ({}, {"message_id": "2"}),
        ({}, {"delivery_mode": 1}),
    ],
)
def test_a_message_that_knative_would_not_write(
    change: dict[str, object], properties: dict[str, object]
) -> None:
    with pytest.raises(AssertionError):
        on_rabbitmq({**MESSAGE, **change}, b"x", **{**PROPERTIES, **properties})
