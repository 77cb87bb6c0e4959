"""Frames of AMQP, held against a second implementation."""

import struct
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.eventlog.rabbitmq import frames

pamqp = pytest.importorskip("pamqp.frame", reason="the extra rabbitmq is not installed")
encode = pytest.importorskip("pamqp.encode")
commands = pytest.importorskip("pamqp.commands")
header = pytest.importorskip("pamqp.header")

_text = st.text(st.characters(exclude_categories=["Cs"]))
_short = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
_written = st.dictionaries(
    _short,
    _text | st.integers(-(2**63), 2**63 - 1) | st.lists(_text, max_size=3),
    max_size=6,
)


def payloads(data: bytes) -> list[tuple[int, int, bytes]]:
    """Type, channel and payload of each frame."""
    found = []
    while data:
        kind, channel, size = struct.unpack_from(">BHI", data)
        assert data[7 + size] == frames.END
        found.append((kind, channel, data[7 : 7 + size]))
        data = data[8 + size :]
    return found


@given(_written, st.none() | _short, st.none() | _short, st.binary(max_size=300))
def test_a_message_is_what_others_read(
    headers: dict[str, str | int | list[str]],
    content_type: str | None,
    message_id: str | None,
    body: bytes,
) -> None:
    data = frames.message(7, headers, content_type, message_id, body, 4096)
    if data is None:
        return
    size, channel, found = pamqp.unmarshal(data)
    assert channel == 7
    assert found.body_size == len(body)
    assert found.properties.headers == headers
    assert found.properties.content_type == content_type
    assert found.properties.message_id == message_id
    assert found.properties.delivery_mode == 2
    assert b"".join(each[2] for each in payloads(data[size:])) == body
    ours = frames.properties(payloads(data)[0][2])
    assert (ours.headers, ours.content_type, ours.message_id) == (
        headers,
        content_type,
        message_id,
    )


@pytest.mark.parametrize("size", [0, 1, 4088, 4089, 20_000])
def test_a_body_goes_into_as_many_frames_as_it_needs(size: int) -> None:
    data = frames.message(1, {}, None, None, b"x" * size, 4096)
    assert data is not None
    parts = payloads(data)[1:]
    assert all(len(part) <= 4096 - frames.OVERHEAD for _, _, part in parts)
    assert sum(len(part) for _, _, part in parts) == size


def test_headers_that_do_not_go_into_a_frame_are_refused() -> None:
    assert frames.message(1, {"a": "x" * 5000}, None, None, b"", 4096) is None


def test_a_name_that_no_header_can_have_is_refused() -> None:
    with pytest.raises(frames.TooLong):
        frames.message(1, {"ö" * 128: "x"}, None, None, b"", 4096)


def test_method_frames_are_what_others_read() -> None:
    _, channel, publish = pamqp.unmarshal(frames.publish_method(3, "exchange", "key"))
    assert (channel, publish.exchange, publish.routing_key) == (3, "exchange", "key")
    assert not publish.mandatory
    _, channel, ack = pamqp.unmarshal(frames.ack(3, 2**40))
    assert (channel, ack.delivery_tag, ack.multiple) == (3, 2**40, False)
    _, channel, reject = pamqp.unmarshal(frames.reject(3, 2**40))
    assert (channel, reject.delivery_tag, reject.requeue) == (3, 2**40, False)


@pytest.mark.parametrize("redelivered", [True, False])
def test_deliveries_and_confirmations_are_what_others_write(redelivered: bool) -> None:
    deliver = commands.Basic.Deliver("tag", 2**40, redelivered, "exchange", "key")
    ((_, _, payload),) = payloads(pamqp.marshal(deliver, 1))
    assert payload[:4] == frames.DELIVER
    assert frames.delivery(payload) == (2**40, redelivered, "exchange", "key")
    for method, start in ((commands.Basic.Ack, frames.ACK), (commands.Basic.Nack, frames.NACK)):
        ((_, _, payload),) = payloads(pamqp.marshal(method(9, multiple=True), 1))
        assert payload[:4] == start
        assert frames.confirmed(payload) == (9, True)


def test_every_type_of_value_is_read() -> None:
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    headers = {
        "bool": True,
        "decimal": Decimal("3.14"),
        "double": 2.5,
        "long": 2**40,
        "short": 7,
        "time": moment,
        "none": None,
        "bytes": bytearray(b"a"),
        "list": ["a", 1, ["deeper"]],
        "table": {"a": 1},
    }
    properties = commands.Basic.Properties(headers=headers, timestamp=moment, priority=3)
    data = pamqp.marshal(header.ContentHeader(properties=properties, body_size=0), 1)
    found = frames.properties(payloads(data)[0][2])
    assert found.timestamp == moment
    # What stands deeper cannot be an attribute, nor is it ours.
    assert found.headers == {**headers, "bytes": "a", "list": ["a", 1, None], "table": None}


def _header(table: bytes) -> bytes:
    return struct.pack(">HHQHI", 60, 0, 0, 1 << 13, len(table)) + table


@pytest.mark.parametrize(
    ("table", "value"),
    [
        pytest.param(b"\x01aT" + b"\xff" * 8, None, id="a time after all times"),
        pytest.param(b"\x01aS\x00\x00\x00\x02\xff\xfe", "\ufffd\ufffd", id="no UTF-8"),
        pytest.param(b"\x01af" + struct.pack(">f", float("inf")), float("inf"), id="infinite"),
        pytest.param(b"\x01aF\x00\x00\x00\x02xx", None, id="a table that is none"),
    ],
)
def test_what_others_trip_over_is_read(table: bytes, value: object) -> None:
    assert frames.properties(_header(table)).headers == {"a": value}


def test_nothing_is_too_deep() -> None:
    table = b""
    for _ in range(5000):
        table = b"\x01aF" + struct.pack(">I", len(table)) + table
    assert frames.properties(_header(table)).headers == {"a": None}


@given(st.binary(max_size=200))
def test_whatever_stands_in_a_header_frame_is_read_or_refused(data: bytes) -> None:
    for payload in (data, _header(data), data[:14]):
        with suppress(frames.Unreadable):
            frames.properties(payload)


@given(_written, st.none() | _short, st.integers(1, 2**63 - 1))
def test_a_message_of_this_run_is_known_by_its_first_headers(
    headers: dict[str, str | int | list[str]], content_type: str | None, number: int
) -> None:
    ours: dict[str, str | int | list[str]] = {"run": "this", "number": number}

    def seen(written: dict[str, str | int | list[str]]) -> int:
        data = frames.message(7, written, content_type, None, b"", 2**20)
        assert data is not None
        return frames.stamped(payloads(data)[0][2], frames.stamp(("run", "this"), "number"))

    others = {name: value for name, value in headers.items() if name not in ours}
    assert seen({**ours, **others}) == number
    assert seen(others) == 0
    assert seen({**ours, "run": "that", **others}) == 0
    assert seen({}) == 0


@given(st.binary(min_size=14, max_size=60))
def test_no_bytes_are_too_strange_to_look_for_them(payload: bytes) -> None:
    assert frames.stamped(payload, frames.stamp(("run", "this"), "number")) == 0
