"""Cutting a connection's bytes into frames, before the library sees them.

The library takes any number of frames at once, and looks at the length of one only when all of it
has come. One at a time is better for us: what a frame causes has happened before the next one is
looked at, nothing is lost if the next one is an error, and it can be seen what it is.

Source: RFC 9113 §3.4 (preface), §4.1 and §4.2 (format and size), §6.8 (GOAWAY). No I/O here.
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client begins with."""
FRAME_LIMIT: Final = 16 * 1024
"""SETTINGS_MAX_FRAME_SIZE, both as announced and as is the default."""

DATA: Final = 0
HEADERS: Final = 1
RST_STREAM: Final = 3
SETTINGS: Final = 4
PUSH_PROMISE: Final = 5
GOAWAY: Final = 7
CONTINUATION: Final = 9

END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8

_HEAD: Final = 9


class Frame(NamedTuple):
    """A frame; a tuple because there are so many."""

    kind: int
    flags: int
    stream: int
    whole: bytes
    """With its head of nine bytes."""


class NotAPreface(Exception):
    """The client does not begin as a client of HTTP/2 does."""


class TooLong(Exception):
    """A frame is longer than was announced."""


class Cutter:
    """Cuts one direction of a connection into frames."""

    __slots__ = ("_preface", "_rest")

    def __init__(self, preface: bytes = b"") -> None:
        self._preface = preface
        self._rest = b""

    @property
    def rest(self) -> bytes:
        """The beginning of a frame whose end has not come yet."""
        return self._rest

    @property
    def begun(self) -> bool:
        """The preface is complete."""
        return not self._preface

    @property
    def in_head(self) -> bool:
        """A frame that carries a head has begun, or it cannot be seen yet what has."""
        rest = self._rest
        return bool(rest) and (len(rest) < 4 or rest[3] in (HEADERS, CONTINUATION))

    def cut(self, data: bytes) -> Iterator[Frame]:
        """Yield the frames that *data* completes; raises ``NotAPreface`` or ``TooLong``."""
        if self._rest:
            data = self._rest + data
            self._rest = b""
        if self._preface:
            preface = self._preface
            if not data.startswith(preface):
                if not preface.startswith(data):
                    raise NotAPreface
                self._rest = data
                return
            data = data[len(preface) :]
            self._preface = b""
        position = 0
        available = len(data)
        while available - position >= _HEAD:
            length = int.from_bytes(data[position : position + 3], "big")
            if length > FRAME_LIMIT:
                raise TooLong
            end = position + _HEAD + length
            if end > available:
                break
            yield Frame(
                data[position + 3],
                data[position + 4],
                int.from_bytes(data[position + 5 : position + 9], "big") & 0x7FFFFFFF,
                data[position:end],
            )
            position = end
        self._rest = data[position:]


def body_size(frame: Frame) -> int:
    """Bytes of a body in a DATA frame, without padding (RFC 9113 §6.1)."""
    size = len(frame.whole) - _HEAD
    if frame.flags & PADDED and size:
        size = max(0, size - 1 - frame.whole[_HEAD])
    return size


class Goaway(NamedTuple):
    """The other side will not take streams after *last*."""

    last: int
    code: int
    why: bytes


def read_goaway(frame: Frame) -> Goaway | None:
    """Read a GOAWAY frame; None if it is malformed."""
    if frame.stream or len(frame.whole) < _HEAD + 8:
        return None
    last, code = struct.unpack_from(">II", frame.whole, _HEAD)
    return Goaway(last & 0x7FFFFFFF, code, frame.whole[_HEAD + 8 :])


def goaway(last: int, code: int, why: bytes = b"") -> bytes:
    """Write a GOAWAY frame."""
    return struct.pack(">BHBBIII", 0, 8 + len(why), GOAWAY, 0, 0, last, code) + why
