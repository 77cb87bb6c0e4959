"""Messages of AMQP as events (Eventing data plane reference §9.3)."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.eventing import jsonformat
from knlite.eventing.cloudevent import CloudEvent, Malformed
from knlite.eventing.rabbitmq import codec
from knlite.eventing.rabbitmq.codec import Beside, Message, Origin, read, written

LEAST = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
HERE = Origin("/made/up")
SOURCE = Origin("/queue", convert=True)

_plain = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(
    lambda text: text.strip() != ""
)
_name = st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True).filter(
    lambda name: name not in {"data", "datacontenttype", "dataschema", "time", "specversion"}
)
_events = st.builds(
    lambda required, extensions, content_type, data: CloudEvent(
        {**extensions, "specversion": "1.0", **required}, content_type, data or None
    ),
    st.fixed_dictionaries({"id": _plain, "source": _plain, "type": _plain}),
    st.dictionaries(_name, _plain, max_size=5),
    st.none() | st.sampled_from(["application/json", "text/plain; charset=utf-8"]),
    st.binary(),
)
_latin = st.text(
    st.characters(min_codepoint=32, max_codepoint=255, exclude_categories=["Cc"]), min_size=1
)
_besides = st.builds(
    Beside,
    st.integers(1, 10**17 - 1),
    st.integers(0, 255),
    st.text("0123456789abcdef", min_size=1, max_size=16),
    st.frozensets(_plain, max_size=3),
    st.integers(0, 10**17 - 1),
    _plain,
    st.dictionaries(st.from_regex(r"knative-[a-z]{1,10}", fullmatch=True), _latin, max_size=3).map(
        lambda found: tuple(found.items())
    ),
)


TRACE = ("traceparent", "00-" + "1" * 32 + "-" + "2" * 16 + "-01")


def test_writes_as_upstream_does() -> None:
    event = CloudEvent({**LEAST, "subject": "x", "own": "5"}, "text/plain", b"hi")
    beside = Beside(7, 255, "run", headers=(("traceparent", "00-1"), ("Knative-A", "b")))
    message = written(event, beside)
    assert message.headers == {
        **LEAST,
        "subject": "x",
        "own": "5",
        "time": "0001-01-01T00:00:00Z",
        "content-type": "text/plain",
        "x-knlite-arrival": 7,
        "x-knlite-ttl": 255,
        "x-knlite-run": "run",
        "traceparent": "00-1",
        "x-knlite-header-Knative-A": "b",
    }
    assert (message.content_type, message.message_id, message.body) == ("text/plain", "1", b"hi")


@given(_events, _besides)
def test_what_is_written_is_read(event: CloudEvent, beside: Beside) -> None:
    message = written(event, beside)
    found = Message(message.headers, message.body, message.content_type, message.message_id)
    assert read(found, HERE) == event
    assert codec.beside(message.headers) == beside


def test_headers_of_the_same_name_stay_apart() -> None:
    headers = (("knative-a", "1"), ("knative-a", "2"), ("knative-a", "3"))
    message = written(CloudEvent(LEAST), Beside(headers=headers))
    assert codec.beside(message.headers).headers == headers


def test_a_header_of_a_request_cannot_be_smuggled_in() -> None:
    hostile = {
        "x-knlite-header-knative-a": "1\r\nHost: x",
        "x-knlite-header-knative-b": ["1", "\u20ac", "2\x00"],
        "x-knlite-header-host": "x",
        "x-knlite-header-authorization": "x",
        "x-knlite-header-knative-a b": "x",
        "x-knlite-header-knative-\u00e4": "x",
        "tracestate": "a=b\nx: y",
        "traceparent": "00-1",
    }
    assert codec.beside(hostile) == Beside(headers=(("knative-b", "1"),))


def test_what_carries_a_trace_comes_last() -> None:
    headers = (TRACE, ("baggage", "a=b"), ("knative-a", "1"))
    found = codec.beside(written(CloudEvent(LEAST), Beside(headers=headers)).headers)
    assert found.headers == (("knative-a", "1"), ("baggage", "a=b"), TRACE)


@pytest.mark.parametrize("number", [10**17, -1, True, "7", 1.0])
def test_a_number_that_is_none_of_ours_counts_as_none(number: object) -> None:
    found = codec.beside({codec.ARRIVAL: number, codec.REPLAY_OF: number})
    assert (found.arrival, found.replay_of) == (0, 0)


def test_an_extension_may_be_called_as_the_trace_of_the_message() -> None:
    event = CloudEvent({**LEAST, "traceparent": "of the event"})
    message = written(event, Beside(headers=(("traceparent", "of the message"),)))
    assert message.headers["traceparent"] == "of the message"
    assert read(Message(message.headers), HERE) == event


@pytest.mark.parametrize("prefix", ["", "ce-", "CE-", "cloudEvents_", "cloudEvents:"])
def test_attributes_may_stand_under_any_of_these_names(prefix: str) -> None:
    headers = {f"{prefix}{name}": value for name, value in LEAST.items()}
    assert read(Message(headers, b"x"), HERE) == CloudEvent(LEAST, None, b"x")


def test_beside_attributes_with_a_prefix_others_are_the_applications_own() -> None:
    headers = {f"cloudEvents_{name}": value for name, value in LEAST.items()}
    assert read(Message({**headers, "tenant": "x"}), HERE) == CloudEvent(LEAST)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(True, "true", id="true"),
        pytest.param(-5, "-5", id="integer"),
        pytest.param(2.0, "2", id="whole"),
        pytest.param(2.5, "2.5", id="fraction"),
        pytest.param(float("nan"), "nan", id="no number"),
        pytest.param(Decimal("3.14"), "3.14", id="decimal"),
        pytest.param(datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00Z", id="time"),
        pytest.param(datetime(2026, 1, 2), "2026-01-02T00:00:00Z", id="naive"),  # noqa: DTZ001
        pytest.param(b"a\xff", "a�", id="bytes"),
    ],
)
def test_values_of_other_types_become_text(value: object, text: str) -> None:
    event = read(Message({**LEAST, "own": value}), HERE)
    assert isinstance(event, CloudEvent)
    assert event.attributes["own"] == text


@pytest.mark.parametrize("value", [None, {"a": 1}, [1, 2]])
def test_what_is_no_value_of_an_attribute_is_passed_over(value: object) -> None:
    assert read(Message({**LEAST, "own": value}), HERE) == CloudEvent(LEAST)


@pytest.mark.parametrize(
    "name", ["x-death", "X-Own", "traceparent", "tracestate", "a_b", "a-b", "data", "ce-data"]
)
def test_other_headers_are_no_attributes(name: str) -> None:
    assert read(Message({**LEAST, name: "1"}), HERE) == CloudEvent(LEAST)


def test_the_content_type_stands_in_a_header_or_in_the_property() -> None:
    assert read(Message({**LEAST, "Content-Type": "a/b"}, content_type="c/d"), HERE) == CloudEvent(
        LEAST, "a/b"
    )
    assert read(Message(LEAST, content_type="c/d"), HERE) == CloudEvent(LEAST, "c/d")


def test_the_property_alone_says_that_a_message_is_structured() -> None:
    body = jsonformat.encode(CloudEvent(LEAST, "text/plain", b"hi"))
    structured = Message({}, body, "application/cloudevents+json; charset=utf-8")
    event = read(structured, HERE)
    assert isinstance(event, CloudEvent)
    assert (event.attributes, event.data) == (LEAST, b"hi")
    only_header = Message({"content-type": "application/cloudevents+json"}, body)
    assert isinstance(read(only_header, HERE), Malformed)
    batch = Message({}, b"[]", "application/cloudevents-batch+json")
    assert isinstance(read(batch, SOURCE), Malformed)


def test_an_event_without_a_source_gets_one_and_one_without_an_id_that_of_the_message() -> None:
    headers = {"specversion": "1.0", "type": "t"}
    assert read(Message(headers, message_id="m"), HERE) == CloudEvent(
        {**headers, "source": "/made/up", "id": "m"}
    )
    assert isinstance(read(Message(headers), HERE), Malformed)


def test_a_message_that_is_no_event_becomes_one_for_a_source_only() -> None:
    moment = datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=1)))
    message = Message({"own": 5}, b"hi", "text/plain", "m", moment)
    assert isinstance(read(message, HERE), Malformed)
    attributes = {
        "specversion": "1.0",
        "id": "m",
        "type": "dev.knative.rabbitmq.event",
        "source": "/queue",
        "subject": "m",
        "time": "2026-01-02T02:00:00Z",
    }
    assert read(message, SOURCE) == CloudEvent(attributes, "text/plain", b"hi")


def test_a_time_before_all_times_is_none() -> None:
    assert read(Message({**LEAST, "time": codec.NO_TIME}), HERE) == CloudEvent(LEAST)
    body = jsonformat.encode(CloudEvent({**LEAST, "time": codec.NO_TIME}))
    assert read(Message({}, body, jsonformat.CONTENT_TYPE), HERE) == CloudEvent(LEAST)


@pytest.mark.parametrize("name", ["content_type", "message_id"])
def test_what_does_not_go_into_a_property_stands_in_the_header_alone(name: str) -> None:
    long = "a/" + "ö" * 130
    event = CloudEvent({**LEAST, "id": long}, long)
    message = written(event, Beside())
    assert getattr(message, name) is None
    assert message.headers["id"] == message.headers["content-type"] == long


_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
_names = st.text() | st.sampled_from(
    [
        *(*LEAST, "time", "content-type", "traceparent", "tracestate"),
        *(codec.ARRIVAL, codec.TTL, codec.ONLY, codec.RUN, codec.READER, codec.REPLAY_OF),
        *(f"{codec.TRAVELLING}{name}" for name in ("knative-a", "x-request-id", "baggage", "a b")),
    ]
)


@given(st.dictionaries(_names, _anything), st.binary(), st.none() | st.text(), st.booleans())
def test_whatever_a_foreign_producer_writes_is_read_or_refused(
    headers: dict[str, object], body: bytes, content_type: str | None, convert: bool
) -> None:
    beside = codec.beside(headers)
    for name, text in beside.headers:
        assert (name.isascii(), "\n" in text, "\r" in text) == (True, False, False)
        assert text.encode("latin-1").decode("latin-1") == text
    assert max(beside.arrival, beside.replay_of) < 10**17
    found = read(Message(headers, body, content_type, "m"), Origin("/s", convert))
    assert isinstance(found, CloudEvent | Malformed)
