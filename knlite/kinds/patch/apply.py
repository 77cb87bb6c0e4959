"""Server-side apply: a manager says which fields it wants, and owns them from then on.

What it wanted the last time and wants no more goes, unless somebody else wants it. What it wants
to be different from what others own is a conflict, unless it is forced.

Source: Kubernetes "Server-Side Apply"; ``sigs.k8s.io/structured-merge-diff/merge/update.go``.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from knlite.errors import Cause, Conflict, InvalidInput
from knlite.kinds.labels import LAST_APPLIED
from knlite.kinds.patch.fieldset import (
    Damaged,
    FieldSet,
    NotTyped,
    Path,
    compared,
    leaves,
    merged,
    shown,
    without,
)
from knlite.kinds.patch.ownership import (
    Entry,
    Manager,
    after_update,
    entries_in,
    managed_fields,
    taken,
)
from knlite.kinds.patch.shapes import Shape
from knlite.kinds.patch.tree import Tree, equal

_KUBECTL = "kubectl"
BEFORE_FIRST_APPLY = "before-first-apply"
"""Who owns what was there when nobody had kept a record yet."""


@dataclass(frozen=True, slots=True)
class ApplyPatch:
    """*tree* is a document with apiVersion and kind; with *force* it takes fields from others.

    Raises ``InvalidInput`` if it cannot be one.
    """

    tree: Tree
    force: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.tree, dict):
            raise InvalidInput("an apply patch must be an object with apiVersion and kind")
        metadata = self.tree.get("metadata", {})
        if not isinstance(metadata, dict):
            raise InvalidInput("metadata of an apply patch must be an object")
        if metadata.get("managedFields") is not None:
            raise InvalidInput("metadata.managedFields must be nil")


def applied(live: Tree, patch: ApplyPatch, shape: Shape, manager: Manager, now: str) -> Tree:
    """*live* (without members if it does not exist yet) after *manager* has applied *patch*.

    The result carries its managed fields. *now* is RFC 3339. Raises ``Conflict`` with a cause per
    field that somebody else owns, ``InvalidInput``.
    """
    entries = _entries_of(live, shape, now)
    wanted = _wanted(patch.tree, shape)
    own = taken(wanted, manager.subresource)
    mine = [entry for entry in entries if entry.manager.same(manager)]
    others = [entry for entry in entries if not entry.manager.same(manager)]
    dropped = frozenset[Path]().union(*(entry.fields for entry in mine)) - own
    base = _without_managed(live)
    result = merged(base, _without_managed(patch.tree), shape)
    result = without(result, _unowned(dropped, own, others), shape)
    change = compared(leaves(base, shape), leaves(result, shape))
    touched = change.added | change.modified
    allowed = _said_before(base, shape) if manager.name == _KUBECTL else frozenset[Path]()
    conflicts = [(entry.manager, entry.fields & touched - allowed) for entry in others]
    if not patch.force and any(fields for _, fields in conflicts):
        raise _conflict([(who, fields) for who, fields in conflicts if fields], entries)
    lost = touched | change.removed
    left = [replace(entry, fields=entry.fields - lost) for entry in others]
    same = equal(base, result) and [entry.fields for entry in mine] == [own]
    time = mine[0].time if same else now
    _keep_last_applied(result, patch, manager)
    metadata = result.setdefault("metadata", {})
    metadata["managedFields"] = list(managed_fields([*left, Entry(manager, own, time)]))
    return result


def _entries_of(live: Tree, shape: Shape, now: str) -> Sequence[Entry]:
    managed = live.get("metadata", {}).get("managedFields") or ()
    try:
        entries = entries_in(managed)
    except Damaged:
        entries = ()
    if entries or not live:
        return entries
    everything = compared({}, leaves(_without_managed(live), shape))
    first = Manager(
        name=BEFORE_FIRST_APPLY, operation="Update", api_version=str(live.get("apiVersion", ""))
    )
    return after_update((), everything, first, now)


def _wanted(tree: Tree, shape: Shape) -> FieldSet:
    try:
        return frozenset(leaves(_without_managed(tree), shape, strict=True))
    except NotTyped as exc:
        metadata = tree.get("metadata", {})
        named = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}"
        raise InvalidInput(
            f"failed to create typed patch object ({named}; {tree.get('apiVersion')},"
            f" Kind={tree.get('kind')}): {exc}"
        ) from exc


def _unowned(dropped: FieldSet, own: FieldSet, others: Sequence[Entry]) -> FieldSet:
    """Those of *dropped* that nobody owns, nor anything below them."""
    held = own.union(*(entry.fields for entry in others))
    above = {path[:length] for path in held for length in range(1, len(path) + 1)}
    return dropped - above


def _said_before(live: Tree, shape: Shape) -> FieldSet:
    """What ``kubectl apply`` of the client's side has said and is still so.

    Going over to the server's side takes these fields along without a conflict.
    """
    annotations = _annotations(live)
    try:
        said = json.loads(annotations.get(LAST_APPLIED, ""))
        if not isinstance(said, dict) or said.get("apiVersion") != live.get("apiVersion"):
            return frozenset()
        before, now = leaves(said, shape), leaves(live, shape)
    except (ValueError, TypeError, RecursionError, NotTyped):
        # Anybody can write the annotation.
        return frozenset()
    return frozenset(path for path in before if path in now and equal(before[path], now[path]))


def _without_managed(tree: Tree) -> Tree:
    metadata = tree.get("metadata")
    if not isinstance(metadata, dict):
        return dict(tree)
    kept = {name: value for name, value in metadata.items() if name != "managedFields"}
    return {**tree, "metadata": kept}


def _annotations(tree: Tree) -> dict[str, Tree]:
    found = tree.get("metadata", {}).get("annotations")
    # Whatever else stands there is refused when the object is decoded.
    return found if isinstance(found, dict) else {}


def _keep_last_applied(result: Tree, patch: ApplyPatch, manager: Manager) -> None:
    """Bring the annotation of ``kubectl apply`` up to date, for those who go back to it."""
    annotations = _annotations(result)
    if manager.name != _KUBECTL or not annotations.get(LAST_APPLIED):
        return
    tree = _without_managed(patch.tree)
    kept = {name: v for name, v in _annotations(tree).items() if name != LAST_APPLIED}
    tree = {**tree, "metadata": {**tree.get("metadata", {}), "annotations": kept}}
    text = json.dumps(tree, separators=(",", ":"), ensure_ascii=False) + "\n"
    result["metadata"] = {
        **result["metadata"],
        "annotations": {**annotations, LAST_APPLIED: text},
    }


def _conflict(found: list[tuple[Manager, FieldSet]], entries: Sequence[Entry]) -> Conflict:
    times = {entry.manager: entry.time for entry in entries}
    named = sorted(
        (_named(manager, times[manager]), shown(path))
        for manager, fields in found
        for path in fields
    )
    causes = [Cause("FieldManagerConflict", f"conflict with {who}", path) for who, path in named]
    if len(named) == 1:
        who, path = named[0]
        return Conflict(f"Apply failed with 1 conflict: conflict with {who}: {path}", causes=causes)
    lines: list[str] = []
    for who in dict.fromkeys(who for who, _ in named):
        lines.append(f"conflicts with {who}:")
        lines.extend(f"- {path}" for each, path in named if each == who)
    text = "\n".join(lines)
    return Conflict(f"Apply failed with {len(named)} conflicts: {text}", causes=causes)


def _named(manager: Manager, time: str) -> str:
    text = json.dumps(manager.name, ensure_ascii=False)
    if manager.subresource:
        text += f" with subresource {json.dumps(manager.subresource)}"
    if manager.operation == "Update":
        text += f" using {manager.api_version}" + (f" at {time}" if time else "")
    return text
