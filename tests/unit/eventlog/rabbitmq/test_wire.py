"""What passes by the client library."""

import asyncio
import struct

import anyio
import pytest

pytest.importorskip("aiormq", reason="the extra rabbitmq is not installed")

from knlite.eventlog.rabbitmq import frames
from knlite.eventlog.rabbitmq.wire import _Stream


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Heard:
    """Implements ``wire.Messages`` and ``wire.Confirmations``."""

    def __init__(self) -> None:
        self.messages = list[tuple[int, bytes]]()
        self.confirmations = list[tuple[int, bool, bool]]()

    def message(self, delivery: frames.Delivery, properties: bytes, body: bytes) -> None:
        self.messages.append((delivery.tag, body))

    def confirmed(self, tag: int, *, multiple: bool, taken: bool) -> None:
        self.confirmations.append((tag, multiple, taken))


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"


def deliver(channel: int, tag: int, *pieces: bytes) -> bytes:
    method = frames.DELIVER + b"\x01c" + tag.to_bytes(8, "big") + b"\x00\x00\x00"
    size = sum(map(len, pieces)).to_bytes(8, "big")
    bodies = [frame(frames.BODY, channel, piece) for piece in pieces]
    header = b"\x00\x3c\x00\x00" + size + b"\x00\x00"
    return b"".join(
        (frame(frames.METHOD, channel, method), frame(frames.HEADER, channel, header), *bodies)
    )


@pytest.mark.parametrize("step", [1, 7, 10_000])
async def test_messages_and_confirmations_are_taken_out_of_the_stream(step: int) -> None:
    reader = asyncio.StreamReader()
    stream, heard = _Stream(reader), Heard()
    stream.messages[1] = heard
    stream.confirmations[2] = heard
    confirmed = frames.ACK + (9).to_bytes(8, "big") + b"\x01"
    for_the_library = frame(frames.METHOD, 1, b"\x00\x14\x00\x0b") + deliver(3, 1, b"another's")
    data = b"".join(
        (
            deliver(1, 7, b"ab", b"cd"),
            frame(frames.METHOD, 2, confirmed),
            deliver(1, 8),
            for_the_library,
        )
    )
    for at in range(0, len(data), step):
        reader.feed_data(data[at : at + step])
    with anyio.fail_after(5):
        assert await stream.readexactly(len(for_the_library)) == for_the_library
    assert heard.messages == [(7, b"abcd"), (8, b"")]
    assert heard.confirmations == [(9, True, True)]
    reader.feed_eof()
    with pytest.raises(asyncio.IncompleteReadError):
        await stream.readexactly(1)
    assert stream.at_eof()
