"""Objects as encoded documents: straight from the struct to bytes, no tree in between.

Source: Kubernetes API conventions (lists, ``apiVersion`` and ``kind`` of every item).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from knlite.kinds.kindinfo import KindInfo
from knlite.kinds.meta import Object

BATCH = 100
"""Objects that are encoded in one go (about a millisecond), while nobody else is served."""
_encode = msgspec.json.encode


def encoded(info: KindInfo, obj: Object) -> bytes:
    """The whole document of the stored *obj* as JSON, in the version of *info*; it has a name."""
    beginning = f'{{"apiVersion":"{info.api_version}","kind":"{info.kind}",'
    return beginning.encode() + _encode(info.shown(obj))[1:]


def list_pieces(
    info: KindInfo, objects: Sequence[Object], metadata: dict[str, Any]
) -> Iterator[bytes]:
    """*objects* of one kind as a list with *metadata*, a batch at a time."""
    kind = f"{info.kind}List"
    beginning = f'{{"apiVersion":"{info.api_version}","kind":"{kind}","metadata":'.encode()
    yield from pieces(
        beginning + _encode(metadata) + b',"items":[',
        objects,
        lambda obj: encoded(info, obj),
    )


def pieces(
    beginning: bytes, objects: Sequence[Object], one: Callable[[Object], bytes]
) -> Iterator[bytes]:
    """*beginning*, then *one* of each of *objects* between commas, then what closes it all."""
    yield beginning
    for start in range(0, len(objects), BATCH):
        joined = b",".join([one(obj) for obj in objects[start : start + BATCH]])
        yield joined if start == 0 else b"," + joined
    yield b"]}"
