"""A record as bytes, for engines that write it down.

The first byte says in which form the rest is, so that the form can change.
"""

from collections.abc import Mapping

import msgspec

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventlog.port import Record

_FORM = b"\x01"


class Undecodable(ValueError):
    """The bytes are no record that this knlite knows."""


class _Written(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Fields may be added at the end, with a default; anything else is another form."""

    attributes: Mapping[str, str]
    content_type: str | None
    data: bytes | None
    ttl: int
    headers: tuple[tuple[str, str], ...]
    arrival: int
    only: tuple[str, ...]
    replay_of: int


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Written)


def encoded(record: Record) -> bytes:
    """*record* as ``decoded`` reads it."""
    event = record.event
    written = _Written(
        event.attributes,
        event.content_type,
        event.data,
        record.ttl,
        record.headers,
        record.arrival,
        tuple(record.only),
        record.replay_of,
    )
    return _FORM + _encoder.encode(written)


def decoded(body: bytes) -> Record:
    """The record that *body* holds. Raises ``Undecodable``."""
    if body[:1] != _FORM:
        raise Undecodable(f"it has the form {body[:1].hex() or 'of nothing'}, and 01 is known")
    try:
        written = _decoder.decode(memoryview(body)[1:])
    except msgspec.MsgspecError as exc:
        raise Undecodable(str(exc)) from exc
    return Record(
        CloudEvent(written.attributes, written.content_type, written.data),
        written.ttl,
        written.headers,
        written.arrival,
        frozenset(written.only),
        written.replay_of,
    )
