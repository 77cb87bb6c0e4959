"""Records that are no CloudEvents."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.kafka.backing import KeyType
from knlite.eventing.kafka.foreign import foreign_event

PREFIX = "/apis/v1/namespaces/shop/kafkasources/orders"


def made(
    key: bytes | None = None,
    value: bytes | None = b"hello",
    headers: list[tuple[str, bytes | None]] | None = None,
    key_type: KeyType = "",
    milliseconds: int = 1_700_000_000_123,
) -> CloudEvent:
    event = foreign_event(PREFIX, "lines", 3, 17, milliseconds, key, value, headers or [], key_type)
    assert isinstance(event, CloudEvent)
    return event


def test_says_where_the_record_is() -> None:
    assert made(b"k") == CloudEvent(
        {
            "specversion": "1.0",
            "id": "partition:3/offset:17",
            "source": f"{PREFIX}#lines",
            "type": "dev.knative.kafka.event",
            "subject": "partition:3#17",
            "time": "2023-11-14T22:13:20.123Z",
            "partitionkey": "k",
            "key": "k",
        },
        None,
        b"hello",
    )


@pytest.mark.parametrize(
    ("key_type", "key", "text"),
    [
        ("", b"caf\xc3\xa9", "café"),
        ("string", b"\xff", "\ufffd"),
        ("int", struct.pack(">i", -7), "-7"),
        ("int", b"seven", "seven"),
        ("float", struct.pack(">f", 0.1), "0.1"),
        ("float", struct.pack(">d", 0.1), "0.1"),
        pytest.param("float", b"\x7f\x7f\xff\xff", "3.4028235e+38", id="largest"),
        pytest.param("float", b"\x7f\xc0\x00\x01", "nan", id="nan"),
        ("float", b"abc", "abc"),
        ("byte-array", b"\x00\x01", "AAE="),
    ],
)
def test_reads_keys_by_their_type(key_type: KeyType, key: bytes, text: str) -> None:
    attributes = made(key, key_type=key_type).attributes
    assert (attributes["partitionkey"], attributes["key"]) == (text, text)


def test_headers_become_extensions() -> None:
    event = made(headers=[("X-Trace_1", b"a"), ("Content-Type", b"Text/Plain"), ("none", None)])
    assert event.attributes["kafkaheaderxtrace1"] == "a"
    assert event.content_type == "text/plain"
    assert "kafkaheadernone" not in event.attributes


@given(
    st.none() | st.binary(max_size=9),
    st.none() | st.binary(max_size=20),
    st.lists(
        st.tuples(st.text(max_size=4) | st.just("content-type"), st.none() | st.binary(max_size=4)),
        max_size=4,
    ),
    st.sampled_from(["", "string", "int", "float", "byte-array"]),
    st.integers(-(2**63), 2**63 - 1),
)
def test_every_record_becomes_an_event(
    key: bytes | None,
    value: bytes | None,
    headers: list[tuple[str, bytes | None]],
    key_type: KeyType,
    milliseconds: int,
) -> None:
    assert made(key, value, headers, key_type, milliseconds).data == value


def test_what_says_that_it_is_an_event_and_is_none_is_plain_data() -> None:
    event = made(value=b"{", headers=[("Content-Type", b"application/cloudevents+json")])
    assert (event.content_type, event.data) == (None, b"{")
