"""Frames of AMQP 0-9-1 that come and go with every event, as bytes.

Written and read here, and not by the client library, for two reasons: it takes a third of the
time; and what a foreign producer has put into a header must not end the connection, as it does
where a decoder gives up.

Source: AMQP 0-9-1, sections 2.3 (frames), 4.2.5 (field tables) with RabbitMQ's errata.
"""

import math
import struct
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

METHOD, HEADER, BODY, HEARTBEAT = 1, 2, 3, 8
END = 0xCE
OVERHEAD = 8
"""Bytes of a frame beside its payload."""
DELIVER = b"\x00\x3c\x00\x3c"
ACK = b"\x00\x3c\x00\x50"
NACK = b"\x00\x3c\x00\x78"
REJECT = b"\x00\x3c\x00\x5a"
CLOSE_CONNECTION = b"\x00\x0a\x00\x32"
BLOCKED = b"\x00\x0a\x00\x3c"
UNBLOCKED = b"\x00\x0a\x00\x3d"
A_HEARTBEAT = b"\x08\x00\x00\x00\x00\x00\x00\xce"

_PUBLISH = b"\x00\x3c\x00\x28\x00\x00"
_START = struct.Struct(">BHI")
_CONTENT = struct.Struct(">HHQH")
_LONG = struct.Struct(">I")
_LONG_LONG = struct.Struct(">Q")
_SIGNED = struct.Struct(">q")
_ACKNOWLEDGE = struct.Struct(">BHI4sQBB")
_BASIC = 60
_PERSISTENT = 2

_CONTENT_TYPE, _ENCODING, _HEADERS, _MODE, _PRIORITY = 1 << 15, 1 << 14, 1 << 13, 1 << 12, 1 << 11
_BEFORE_ID = (1 << 10, 1 << 9, 1 << 8)
_MESSAGE_ID, _TIMESTAMP = 1 << 7, 1 << 6

_NUMBERS = {
    ord(kind): struct.Struct(f">{code}")
    for kind, code in (
        ("b", "b"),
        ("B", "B"),
        ("s", "h"),
        ("U", "h"),
        ("u", "H"),
        ("I", "i"),
        ("i", "I"),
        ("l", "q"),
        ("L", "q"),
        ("f", "f"),
        ("d", "d"),
    )
}


class Unreadable(ValueError):
    """The bytes are no frame, or a frame that nobody writes."""


class TooLong(ValueError):
    """A name for which the protocol has no room."""


class Unspeakable(ValueError):
    """A name that the client library does not hand to a server, which might take it."""


class Delivery(NamedTuple):
    """The method frame that comes before a message."""

    tag: int
    redelivered: bool
    exchange: str
    routing_key: str


class Properties(NamedTuple):
    """Of a message, as far as they matter."""

    headers: Mapping[str, object]
    content_type: str | None
    message_id: str | None
    timestamp: datetime | None


@lru_cache(maxsize=4096)
def publish_method(channel: int, exchange: str, routing_key: str) -> bytes:
    """The frame that says where the message goes that follows. Raises ``TooLong``."""
    payload = _PUBLISH + _short(exchange) + _short(routing_key) + b"\x00"
    return _START.pack(METHOD, channel, len(payload)) + payload + b"\xce"


def message(
    channel: int,
    headers: Mapping[str, str | int | list[str]],
    content_type: str | None,
    message_id: str | None,
    body: bytes,
    frame_max: int,
) -> bytes | None:
    """Header and body frames of a persistent message; None: its headers are too large a frame.

    Raises ``TooLong``.
    """
    table = _table(headers)
    flags = _HEADERS | _MODE
    before = after = b""
    if content_type is not None:
        flags |= _CONTENT_TYPE
        before = _short(content_type)
    if message_id is not None:
        flags |= _MESSAGE_ID
        after = _short(message_id)
    rest = b"".join((before, _LONG.pack(len(table)), table, b"\x02", after))
    size = _CONTENT.size + len(rest)
    if size + OVERHEAD > frame_max:
        return None
    start = _START.pack(HEADER, channel, size)
    parts = [start, _CONTENT.pack(_BASIC, 0, len(body), flags), rest, b"\xce"]
    room = frame_max - OVERHEAD
    for at in range(0, len(body), room):
        piece = body[at : at + room]
        parts += (_START.pack(BODY, channel, len(piece)), piece, b"\xce")
    return b"".join(parts)


def ack(channel: int, tag: int, *, multiple: bool = False) -> bytes:
    """The frame that says that the message *tag* is done, and with *multiple* all before it."""
    return _ACKNOWLEDGE.pack(METHOD, channel, 13, ACK, tag, multiple, END)


def reject(channel: int, tag: int) -> bytes:
    """The frame that says that the message *tag* is not wanted, also not once more."""
    return _ACKNOWLEDGE.pack(METHOD, channel, 13, REJECT, tag, 0, END)


def delivery(payload: bytes) -> Delivery:
    """What a frame of ``DELIVER`` says. Raises ``Unreadable``."""
    try:
        at = 5 + payload[4]
        (tag,) = _LONG_LONG.unpack_from(payload, at)
        redelivered = payload[at + 8] & 1 == 1
        exchange, at = _read_short(payload, at + 9)
        routing_key, _ = _read_short(payload, at)
    except (struct.error, IndexError) as exc:
        raise Unreadable(str(exc)) from exc
    return Delivery(tag, redelivered, exchange, routing_key)


def confirmed(payload: bytes) -> tuple[int, bool]:
    """Up to which tag a frame of ``ACK`` or ``NACK`` speaks, and whether of all before as well."""
    (tag,) = _LONG_LONG.unpack_from(payload, 4)
    return tag, payload[12] & 1 == 1


def closed(payload: bytes) -> tuple[int, str]:
    """Code and words of ``CLOSE_CONNECTION``."""
    code = int.from_bytes(payload[4:6], "big")
    text, _ = _read_short(payload, 6)
    return code, text


def blocked(payload: bytes) -> str:
    """The words of ``BLOCKED``."""
    return _read_short(payload, 4)[0]


def body_size(payload: bytes) -> int:
    """How many bytes follow a header frame. Raises ``Unreadable``."""
    if len(payload) < _CONTENT.size:
        raise Unreadable("the header of a message is cut off")
    return int.from_bytes(payload[4:12], "big")


def properties(payload: bytes) -> Properties:
    """What a header frame says. Raises ``Unreadable``."""
    try:
        flags = int.from_bytes(payload[12:14], "big")
        at = _CONTENT.size
        headers: Mapping[str, object] = {}
        content_type = message_id = moment = None
        if flags & _CONTENT_TYPE:
            content_type, at = _read_short(payload, at)
        if flags & _ENCODING:
            _, at = _read_short(payload, at)
        if flags & _HEADERS:
            headers, at = _read_table(payload, at)
        if flags & _MODE:
            at += 1
        if flags & _PRIORITY:
            at += 1
        for each in _BEFORE_ID:
            if flags & each:
                _, at = _read_short(payload, at)
        if flags & _MESSAGE_ID:
            message_id, at = _read_short(payload, at)
        if flags & _TIMESTAMP:
            moment = _moment(_LONG_LONG.unpack_from(payload, at)[0])
    except (struct.error, IndexError) as exc:
        raise Unreadable(str(exc)) from exc
    return Properties(headers, content_type, message_id, moment)


def stamp(text: tuple[str, str], number: str) -> bytes:
    """How headers begin of which the first is this *text*, and the second a number of that name."""
    return _table({text[0]: text[1]}) + _name(number) + b"l"


def stamped(payload: bytes, beginning: bytes) -> int:
    """The number that follows in a header frame whose headers begin so; 0: they do not."""
    at = _CONTENT.size
    if payload[12] & 0x80 and at < len(payload):
        at += 1 + payload[at]
    at += 4
    if not payload.startswith(beginning, at):
        return 0
    at += len(beginning)
    return int.from_bytes(payload[at : at + 8], "big")


def _table(headers: Mapping[str, str | int | list[str]]) -> bytes:
    parts = list[bytes]()
    for name, value in headers.items():
        if isinstance(value, str):
            text = value.encode()
            parts += (_name(name), b"S", _LONG.pack(len(text)), text)
        elif isinstance(value, int):
            parts += (_name(name), b"l", _SIGNED.pack(value))
        else:
            texts = [each.encode() for each in value]
            array = b"".join(b"S" + _LONG.pack(len(text)) + text for text in texts)
            parts += (_name(name), b"A", _LONG.pack(len(array)), array)
    return b"".join(parts)


@lru_cache(maxsize=1024)
def _name(text: str) -> bytes:
    return _short(text)


def _short(text: str) -> bytes:
    encoded = text.encode()
    if len(encoded) > 255:
        raise TooLong(text)
    return bytes((len(encoded),)) + encoded


def _read_short(payload: bytes, at: int) -> tuple[str, int]:
    end = at + 1 + payload[at]
    if end > len(payload):
        raise Unreadable("a text is cut off")
    return payload[at + 1 : end].decode("utf-8", "replace"), end


def _read_table(payload: bytes, at: int) -> tuple[dict[str, object], int]:
    end = at + 4 + int.from_bytes(payload[at : at + 4], "big")
    if end > len(payload):
        raise Unreadable("a table is cut off")
    at += 4
    found = dict[str, object]()
    while at < end:
        start = at + 1
        at = start + payload[at]
        name = _known(payload[start:at])
        if payload[at] == 0x53:
            # A text, which nearly all of them are.
            start = at + 5
            at = start + int.from_bytes(payload[at + 1 : start], "big")
            found[name] = payload[start:at].decode("utf-8", "replace")
        else:
            found[name], at = _read_value(payload, at, nested=False)
    if at != end:
        raise Unreadable("a table is cut off")
    return found, at


@lru_cache(maxsize=1024)
def _known(name: bytes) -> str:
    return name.decode("utf-8", "replace")


def _read_value(payload: bytes, at: int, *, nested: bool) -> tuple[object, int]:
    """A value and where it ends. Tables, and what stands deeper, are passed over: None."""
    kind = payload[at]
    at += 1
    number = _NUMBERS.get(kind)
    if number is not None:
        (value,) = number.unpack_from(payload, at)
        return value, at + number.size
    match chr(kind):
        case "t":
            return payload[at] != 0, at + 1
        case "V":
            return None, at
        case "T":
            return _moment(_LONG_LONG.unpack_from(payload, at)[0]), at + 8
        case "D":
            places = payload[at]
            (digits,) = struct.unpack_from(">i", payload, at + 1)
            return Decimal(digits).scaleb(-places), at + 5
        case "S" | "x" | "A" | "F":
            start = at + 4
            end = start + int.from_bytes(payload[at:start], "big")
            if end > len(payload):
                raise Unreadable("a value is cut off")
            if chr(kind) in "Sx":
                return payload[start:end].decode("utf-8", "replace"), end
            if chr(kind) == "F" or nested:
                return None, end
            values = []
            while start < end:
                value, start = _read_value(payload, start, nested=True)
                values.append(value)
            return values, end
        case _:
            raise Unreadable(f"nobody knows values of type {chr(kind)!r}")


def _moment(seconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC) if math.isfinite(seconds) else None
    except (OverflowError, ValueError, OSError):
        # Some write milliseconds, and anybody may write anything.
        return None
