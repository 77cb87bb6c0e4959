"""Finalizers, as reconcilers put them on objects and take them away again."""

from typing import TypeVar

import msgspec

from knlite.kinds.meta import Object

T = TypeVar("T", bound=Object)


def held(obj: T, finalizer: str) -> T:
    """*obj* with *finalizer*, once."""
    finalizers = obj.metadata.finalizers
    return obj if finalizer in finalizers else _with(obj, (*finalizers, finalizer))


def released(obj: T, finalizer: str) -> T:
    """*obj* without *finalizer*."""
    finalizers = obj.metadata.finalizers
    rest = tuple(each for each in finalizers if each != finalizer)
    return obj if rest == finalizers else _with(obj, rest)


def _with(obj: T, finalizers: tuple[str, ...]) -> T:
    metadata = msgspec.structs.replace(obj.metadata, finalizers=finalizers)
    return msgspec.structs.replace(obj, metadata=metadata)
