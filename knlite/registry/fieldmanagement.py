"""Keeps ``metadata.managedFields`` of what clients write.

Only writes that name a manager are recorded: reconcilers and ``knlite up`` own nothing
(``docs/adr/0013``).

Source: Kubernetes "Server-Side Apply"; the rules are in ``kinds/patch``.
"""

from datetime import datetime
from typing import Any

import msgspec

from knlite.errors import Cause, Invalid, InvalidInput
from knlite.kinds.catalog import info_of, read, tree_of
from knlite.kinds.conditions import timestamp
from knlite.kinds.kindinfo import KindInfo
from knlite.kinds.meta import Object, ObjectMeta
from knlite.kinds.patch.apply import ApplyPatch, applied
from knlite.kinds.patch.fieldset import Damaged, compared, leaves
from knlite.kinds.patch.ownership import (
    Manager,
    after_update,
    entries_in,
    is_reset,
    managed_fields,
    same_but_for_time,
)
from knlite.kinds.patch.shapes import shape_of
from knlite.kinds.patch.tree import Tree
from knlite.reconcile import Key
from knlite.registry.fieldvalidation import read_object
from knlite.registry.write import Write


def owned_after(
    obj: Object, old: Object | None, write: Write, subresource: str, now: datetime
) -> tuple[Any, ...]:
    """The managed fields of *obj*, which takes the place of *old*, after *write* at *now*.

    *obj* may bring its own, as json patches do; without any it keeps those of *old*.
    """
    brought = () if subresource else obj.metadata.managed_fields
    kept = old.metadata.managed_fields if old is not None else ()
    if not write.manager and (not brought or brought is kept):
        # What reconcilers write, time and again: there is nothing to look into.
        return kept
    if is_reset(brought):
        brought = kept = ()
    try:
        entries = entries_in(brought or kept)
    except Damaged:
        # A client that writes them must know how; what is stored has been read before.
        brought, entries = (), entries_in(kept)
    if not write.manager:
        return brought or kept
    if old is not None and not entries:
        # Nobody has kept a record from the beginning; the first apply will begin one.
        return ()
    info = info_of(type(obj))
    shape = shape_of(info.group, info.kind)
    before = leaves(_bare(old), shape) if old is not None else {}
    change = compared(before, leaves(_bare(obj), shape))
    manager = Manager(
        name=write.manager,
        operation="Update",
        api_version=info.api_version,
        subresource=subresource,
    )
    return managed_fields(after_update(entries, change, manager, timestamp(now)))


def read_applied(
    key: Key, patch: ApplyPatch, old: Object | None, write: Write, subresource: str, now: str
) -> Object:
    """*old* after *patch*, with its managed fields.

    Raises ``Conflict`` (fields of others), ``InvalidInput``, ``Invalid``.
    """
    if not write.manager:
        text = "Required value: is required for apply patch"
        raise Invalid(
            f'PatchOptions.meta.k8s.io "" is invalid: fieldManager: {text}',
            causes=[Cause("FieldValueRequired", text, "fieldManager")],
        )
    info = _version_of(key, patch)
    _require_declared(key, patch, info)
    live = tree_of(old, info) if old is not None else {}
    manager = Manager(
        name=write.manager,
        operation="Apply",
        api_version=info.api_version,
        subresource=subresource,
    )
    tree = applied(live, patch, shape_of(info.group, info.kind), manager, now)
    return read_object(tree, write)


def resetting(tree: Tree) -> Tree:
    """*tree* after a patch; an empty list of managed fields there asks to forget all owners."""
    metadata = tree.get("metadata") if isinstance(tree, dict) else None
    if not isinstance(metadata, dict) or metadata.get("managedFields") != []:
        return tree
    return {**tree, "metadata": {**metadata, "managedFields": [{}]}}


def with_times_of(old: Object, obj: Object, metadata: ObjectMeta) -> ObjectMeta:
    """*metadata* of *obj*, unless nothing but times in its managed fields is new to *old*.

    Defaulting may give back what a write has left out; such a write has changed nothing.
    """
    before = old.metadata.managed_fields
    if metadata.managed_fields == before or not same_but_for_time(metadata.managed_fields, before):
        return metadata
    timeless = msgspec.structs.replace(metadata, managed_fields=before)
    return timeless if msgspec.structs.replace(obj, metadata=timeless) == old else metadata


def _version_of(key: Key, patch: ApplyPatch) -> KindInfo:
    """The kind at *key* in the version of *patch*. Raises ``InvalidInput``."""
    info = info_of(key.kind)
    version = patch.tree.get("apiVersion")
    for each in info.served():
        if each.api_version == version:
            return each
    raise InvalidInput(
        "Incorrect version specified in apply patch. Specified patch version:"
        f" {version}, expected: {info.api_version}"
    )


def _require_declared(key: Key, patch: ApplyPatch, info: KindInfo) -> None:
    """Refuse fields that the kind has not, whatever the field validation."""
    unknown = read(patch.tree, strict=False).unknown
    if not unknown:
        return
    fields = [
        f".{text.partition(chr(34))[2][:-1]}: field not declared in schema" for text in unknown
    ]
    listed = fields[0] if len(fields) == 1 else "errors:\n" + "\n".join(f"  {f}" for f in fields)
    raise InvalidInput(
        f"failed to create typed patch object ({key.namespace}/{key.name}; {info.api_version},"
        f" Kind={info.kind}): {listed}"
    )


def _bare(obj: Object) -> dict[str, Any]:
    """The document of *obj* without its managed fields."""
    return tree_of(
        msgspec.structs.replace(
            obj, metadata=msgspec.structs.replace(obj.metadata, managed_fields=())
        )
    )
