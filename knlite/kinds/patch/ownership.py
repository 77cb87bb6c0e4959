"""Who owns which fields of an object: ``metadata.managedFields`` and how writes change it.

Source: Kubernetes "Server-Side Apply", "Field management"; ``apimachinery/pkg/util/managedfields``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from knlite.kinds.patch.fieldset import Comparison, Damaged, FieldSet, Path, decoded, encoded
from knlite.kinds.patch.tree import Tree

MAX_UPDATERS = 10
"""More entries of operation Update than this are joined, the oldest first."""
ANCIENT = "ancient-changes"

_STATUS = "f:status"
_METADATA = frozenset(
    (
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    )
)
_NOBODYS = frozenset(
    [("f:apiVersion",), ("f:kind",), *(("f:metadata", f"f:{name}") for name in _METADATA)]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """Whose fields an entry holds; *api_version* tells updaters apart, but not appliers."""

    name: str
    operation: str
    api_version: str
    subresource: str = ""

    def same(self, other: "Manager") -> bool:
        """Whether both have one entry."""
        if self.operation == "Apply":
            return replace(self, api_version="") == replace(other, api_version="")
        return self == other


@dataclass(frozen=True, slots=True)
class Entry:
    """One manager and its fields; *time* is RFC 3339, or "" when it was never told."""

    manager: Manager
    fields: FieldSet
    time: str


def entries_in(managed: Sequence[Any]) -> tuple[Entry, ...]:
    """The entries of ``metadata.managedFields``. Raises ``Damaged``."""
    return tuple(map(_entry, managed))


def managed_fields(entries: Iterable[Entry]) -> tuple[Any, ...]:
    """*entries* as they stand in ``metadata.managedFields``, without those that own nothing."""
    living = [entry for entry in entries if entry.fields]
    living.sort(key=lambda entry: (entry.manager.operation, entry.time, entry.manager.name))
    return tuple(map(_written, living))


def is_reset(managed: Sequence[Any]) -> bool:
    """Whether a client asks to forget all owners: one empty entry."""
    return len(managed) == 1 and managed[0] == {}


def same_but_for_time(one: Sequence[Any], other: Sequence[Any]) -> bool:
    """Whether two managed fields name the same owners of the same fields."""
    return len(one) == len(other) and _timeless(one) == _timeless(other)


def taken(fields: Iterable[Path], subresource: str) -> FieldSet:
    """Those of *fields* that a write through *subresource* can own."""
    status = subresource == "status"
    return frozenset(
        path for path in fields if (path[0] == _STATUS) is status and path not in _NOBODYS
    )


def after_update(
    entries: Sequence[Entry], change: Comparison, manager: Manager, now: str
) -> tuple[Entry, ...]:
    """Owners after *manager* made *change*: what it touched is its own, and nobody else's."""
    touched = change.added | change.modified | change.removed
    own = taken(change.added | change.modified, manager.subresource)
    left = [replace(entry, fields=entry.fields - touched) for entry in entries]
    if not own:
        return tuple(left)
    before = [entry for entry in left if entry.manager.same(manager)]
    others = [entry for entry in left if not entry.manager.same(manager)]
    fields = own.union(*(entry.fields for entry in before))
    return _capped([*others, Entry(manager, fields, now)])


def _capped(entries: list[Entry]) -> tuple[Entry, ...]:
    updaters = sorted(
        (entry for entry in entries if entry.manager.operation == "Update" and entry.fields),
        key=lambda entry: entry.time,
    )
    surplus = updaters[: max(0, len(updaters) - MAX_UPDATERS + 1)]
    if len(updaters) <= MAX_UPDATERS:
        return tuple(entries)
    joined: dict[str, Entry] = {}
    for entry in surplus:
        version = entry.manager.api_version
        ancient = Manager(name=ANCIENT, operation="Update", api_version=version)
        fields = joined[version].fields if version in joined else frozenset[Path]()
        joined[version] = Entry(ancient, fields | entry.fields, entry.time)
    return (*(entry for entry in entries if entry not in surplus), *joined.values())


def _entry(tree: Tree) -> Entry:
    if not isinstance(tree, Mapping):
        raise Damaged("an entry must be an object")
    manager = Manager(
        name=_text(tree, "manager"),
        operation=_text(tree, "operation"),
        api_version=_text(tree, "apiVersion"),
        subresource=_text(tree, "subresource"),
    )
    if manager.operation not in {"Apply", "Update"}:
        raise Damaged("operation must be `Apply` or `Update`")
    if not manager.api_version:
        raise Damaged("apiVersion must not be empty")
    if tree.get("fieldsType") != "FieldsV1":
        raise Damaged("fieldsType must be FieldsV1")
    return Entry(manager, decoded(tree.get("fieldsV1") or {}), _text(tree, "time"))


def _text(tree: Mapping[str, Any], name: str) -> str:
    value = tree.get(name) or ""
    if not isinstance(value, str):
        raise Damaged(f"{name} must be a text")
    return value


def _written(entry: Entry) -> dict[str, Any]:
    manager = entry.manager
    tree: dict[str, Any] = {
        "manager": manager.name,
        "operation": manager.operation,
        "apiVersion": manager.api_version,
        "time": entry.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": encoded(entry.fields),
        "subresource": manager.subresource,
    }
    return {name: value for name, value in tree.items() if value != ""}


def _timeless(managed: Sequence[Any]) -> list[Any]:
    found = [{name: each[name] for name in each if name != "time"} for each in managed]
    return sorted(found, key=repr)
