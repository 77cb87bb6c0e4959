"""Objects as encoded documents: straight from the struct to bytes, no tree in between.

Source: Kubernetes API conventions (lists, ``apiVersion`` and ``kind`` of every item).
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from knlite.kinds.catalog import KindInfo
from knlite.kinds.meta import Object

_encode = msgspec.json.encode


def encoded(info: KindInfo, obj: Object, version: str = "") -> bytes:
    """The whole document of *obj* as JSON, in *version* of its group; it has a name at least."""
    version = version or info.version
    api_version = f"{info.group}/{version}" if info.group else version
    beginning = f'{{"apiVersion":"{api_version}","kind":"{info.kind}",'
    return beginning.encode() + _encode(obj)[1:]


def encoded_list(
    info: KindInfo, objects: Iterable[Object], metadata: dict[str, Any], version: str
) -> bytes:
    """*objects* of one kind as a list with *metadata*."""
    api_version = f"{info.group}/{version}" if info.group else version
    return b"".join(
        (
            f'{{"apiVersion":"{api_version}","kind":"{info.kind}List","metadata":'.encode(),
            _encode(metadata),
            b',"items":[',
            b",".join([encoded(info, obj, version) for obj in objects]),
            b"]}",
        )
    )
