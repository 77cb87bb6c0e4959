"""Events in records of Kafka."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.eventing.cloudevent import CloudEvent, Draft, Malformed, checked
from knlite.eventing.kafka.codec import Beside, Read, decode, encode

PLAIN = CloudEvent({"specversion": "1.0", "id": "1", "source": "/shop", "type": "order.paid"})
HEADERS = [
    ("ce_specversion", b"1.0"),
    ("ce_id", b"1"),
    ("ce_source", b"/shop"),
    ("ce_type", b"order.paid"),
]

_text = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).filter(
    lambda text: bool(text.strip())
)
_name = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=20).filter(
    lambda name: name not in {"data", "datacontenttype", "dataschema", "time", "database64"}
)


@st.composite
def events(draw: st.DrawFn) -> CloudEvent:
    extensions = draw(st.dictionaries(_name, _text, max_size=4))
    required = {name: draw(_text) for name in ("id", "source", "type")}
    data = draw(st.none() | st.binary(min_size=1, max_size=50))
    content_type = draw(st.none() | st.sampled_from(["application/json", "text/plain; a=b"]))
    found = checked(Draft({**extensions, **required, "specversion": "1.0"}, content_type, data))
    assert isinstance(found, CloudEvent)
    return found


@st.composite
def besides(draw: st.DrawFn) -> Beside:
    latin = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"))
    trace = ("traceparent", "00-" + "1" * 32 + "-" + "2" * 16 + "-01")
    return Beside(
        draw(st.sampled_from(["", "run-1"])),
        draw(st.integers(0, 10**17 - 1)),
        draw(st.integers(-1, 255)),
        (("knative-x", draw(latin)), ("x-request-id", draw(latin)), ("baggage", "a=b"), trace),
        tuple(draw(st.lists(_text, max_size=3))),
        draw(st.integers(0, 10**17 - 1)),
    )


@given(events(), besides())
def test_what_was_written_is_read_again(event: CloudEvent, beside: Beside) -> None:
    written = encode(event, beside)
    assert decode(written.headers, written.value) == Read(event, beside)


@given(events(), besides())
def test_so_is_a_structured_event(event: CloudEvent, beside: Beside) -> None:
    written = encode(event, beside, structured=True)
    read = decode(written.headers, written.value)
    assert read.beside == beside
    assert isinstance(read.event, CloudEvent)
    assert read.event.attributes == event.attributes
    assert read.event.content_type == event.content_type


_NAMES = (
    *("ce_id", "ce_specversion", "ce_source", "ce_type", "CE_ID", "ce_", "ce_a-b", "ce_ä"),
    *("content-type", "Content-Type", "traceparent", "x-knlite-arrival", "x-knlite-ttl"),
    *("x-knlite-only", "x-knlite-header-x-request-id", "x-knlite-replay-of", "x-knlite-"),
)
_headers = st.lists(
    st.tuples(
        st.sampled_from(_NAMES) | st.text(max_size=5),
        st.none()
        | st.binary(max_size=8)
        | st.sampled_from([b"1.0", b"application/cloudevents+json", b"99999999999999999999"]),
    ),
    max_size=12,
)


@given(_headers, st.none() | st.binary(max_size=40) | st.just(b'{"specversion":"1.0"}'))
def test_nothing_that_a_record_holds_makes_it_fail(
    headers: list[tuple[str, bytes | None]], value: bytes | None
) -> None:
    beside = decode(headers, value).beside
    assert 0 <= beside.arrival < 10**18
    assert all("\r" not in text and "\n" not in text for _, text in beside.headers)


def test_the_binary_mode_is_that_of_the_binding() -> None:
    event = CloudEvent({**PLAIN.attributes, "partitionkey": "k"}, "application/json", b"{}")
    written = encode(event, Beside())
    assert written.key == b"k"
    assert written.value == b"{}"
    assert written.headers == [
        *HEADERS,
        ("ce_partitionkey", b"k"),
        ("content-type", b"application/json"),
    ]


def test_an_event_without_data_has_no_value_and_without_a_key_none() -> None:
    written = encode(PLAIN, Beside())
    assert (written.key, written.value) == (None, None)
    assert decode(HEADERS, None).event == PLAIN


def test_headers_of_an_event_are_read_in_any_case() -> None:
    shouted = [(name.upper(), value) for name, value in HEADERS]
    assert decode([*shouted, ("Content-Type", b"text/plain")], b"x").event == CloudEvent(
        PLAIN.attributes, "text/plain", b"x"
    )


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        pytest.param([], "neither binary mode", id="nothing"),
        pytest.param(HEADERS[1:], "specversion is missing", id="no specversion"),
        pytest.param([*HEADERS, ("ce_id", b"2")], "comes twice", id="twice"),
        pytest.param([*HEADERS, ("ce_x", b"\xff")], "not UTF-8", id="not UTF-8"),
        pytest.param([*HEADERS, ("ce_x", None)], "has no value", id="no value"),
        pytest.param([*HEADERS, ("ce_a-b", b"1")], "not allowed", id="illegal name"),
        pytest.param([*HEADERS, ("ce_data", b"1")], "not allowed", id="data"),
        pytest.param([*HEADERS, ("ce_content-type", b"1")], "not allowed", id="content type"),
        pytest.param([*HEADERS, ("ce_x", b"a\r\nb")], "control character", id="line break"),
        pytest.param([("content-type", b"application/cloudevents+xml")], "not supported", id="XML"),
        pytest.param([("content-type", b"application/cloudevents+json")], "not a JSON", id="JSON"),
    ],
)
def test_says_why_a_record_is_no_event(headers: list[tuple[str, bytes | None]], why: str) -> None:
    event = decode(headers, None).event
    assert isinstance(event, Malformed)
    assert why in event.why


def test_a_header_of_a_request_cannot_be_smuggled_in() -> None:
    hostile = [
        ("x-knlite-header-knative-a", b"1\r\nHost: x"),
        ("x-knlite-header-host", b"x"),
        ("x-knlite-header-knative-a b", b"x"),
        ("traceparent", b"00\r\nx: y"),
    ]
    assert decode([*HEADERS, *hostile], None).beside == Beside()


@pytest.mark.parametrize("text", [b"-1", b"1e3", b"\xb2", b"9" * 18, b""])
def test_a_number_that_is_none_of_ours_counts_as_none(text: bytes) -> None:
    assert decode([*HEADERS, ("x-knlite-arrival", text)], None).beside.arrival == 0
