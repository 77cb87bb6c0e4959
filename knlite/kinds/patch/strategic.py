"""Strategic merge patch: a merge patch that knows which lists are merged, and by which key.

Only the core kinds have it; Knative's are custom resources, which have not.

Source: Kubernetes ``apimachinery/pkg/util/strategicpatch``, community doc "Strategic Merge Patch"
(directives ``$patch``, ``$retainKeys``, ``$setElementOrder/…``, ``$deleteFromPrimitiveList/…``).
"""

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from knlite.errors import InvalidInput
from knlite.kinds.patch.fieldset import compact
from knlite.kinds.patch.shapes import PLAIN, Shape, shape_of
from knlite.kinds.patch.tree import Tree

_PATCH = "$patch"
_RETAIN_KEYS = "$retainKeys"
_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"


@dataclass(frozen=True, slots=True)
class StrategicPatch:
    """*tree* must be an object; raises ``InvalidInput`` else."""

    tree: Tree

    def __post_init__(self) -> None:
        if not isinstance(self.tree, dict):
            raise InvalidInput("a strategic merge patch must be a JSON object")

    def applied_to(self, tree: Tree) -> Tree:
        """*tree*, a whole document, with the patch merged in. Raises ``InvalidInput``."""
        group = tree["apiVersion"].rpartition("/")[0]
        return _merged(tree, self.tree, shape_of(group, tree["kind"]))


def _merged(target: Tree, patch: Tree, shape: Shape) -> Tree:
    if not isinstance(patch, dict):
        return patch
    match patch.get(_PATCH, "merge"):
        case "merge":
            pass
        case "delete":
            return {}
        case "replace":
            return _plain(patch)
        case other:
            raise InvalidInput(f"Unknown patch type: {other}")
    result = dict(target) if isinstance(target, dict) else {}
    retained = patch.get(_RETAIN_KEYS)
    if retained is not None:
        names = set(map(str, _list(retained, _RETAIN_KEYS)))
        result = {name: value for name, value in result.items() if name in names}
    for name, value in patch.items():
        if name.startswith("$"):
            continue
        if value is None:
            result.pop(name, None)
        elif isinstance(value, list):
            result[name] = _merged_list(result.get(name), value, shape.child(name), name)
        else:
            result[name] = _merged(result.get(name), value, shape.child(name))
    return _directed(result, target, patch, shape)


def _directed(result: dict[str, Any], target: Tree, patch: Tree, shape: Shape) -> dict[str, Any]:
    """*result* after what *patch* says about deleting from lists and about their order."""
    before = target if isinstance(target, dict) else {}
    for name, value in patch.items():
        if name.startswith(_DELETE):
            field = name.removeprefix(_DELETE)
            doomed = set(map(compact, _list(value, name)))
            left = [each for each in result.get(field) or [] if compact(each) not in doomed]
            result[field] = left
    for name, value in patch.items():
        if name.startswith(_ORDER):
            field = name.removeprefix(_ORDER)
            if isinstance(result.get(field), list):
                identity = _identity(shape.child(field), field)
                old = before.get(field) or []
                result[field] = _ordered(result[field], old, _list(value, name), identity)
    return result


def _merged_list(target: Tree, patch: list[Tree], shape: Shape, name: str) -> list[Tree]:
    old = target if isinstance(target, list) else []
    if any(isinstance(item, dict) and item.get(_PATCH) == "replace" for item in patch):
        return [
            _plain(item)
            for item in patch
            if not (isinstance(item, dict) and item.get(_PATCH) == "replace")
        ]
    if shape.is_set:
        present = set(map(compact, old))
        return [*old, *(item for item in patch if compact(item) not in present)]
    if not shape.keys:
        return [_plain(item) for item in patch]
    identity = _identity(shape, name)
    item_shape = Shape(fields=shape.fields)
    found = {identity(item): item for item in old}
    for item in patch:
        key = identity(item)
        if item.get(_PATCH) == "delete":
            found.pop(key, None)
        else:
            found[key] = _merged(found.get(key), item, item_shape)
    return list(found.values())


def _ordered(
    items: list[Tree],
    old: list[Tree],
    order: list[Tree],
    identity: Callable[[Tree], Hashable],
) -> list[Tree]:
    """*items* as *order* has them; those it does not name stay before what they stood before."""
    rank = {identity(each): place for place, each in enumerate(order)}
    stood = {identity(each): place for place, each in enumerate(old)}
    named = sorted(
        (item for item in items if identity(item) in rank), key=lambda item: rank[identity(item)]
    )
    others = deque(item for item in items if identity(item) not in rank)
    result: list[Tree] = []
    for item in named:
        place = stood.get(identity(item))
        while others and place is not None and stood.get(identity(others[0]), place) < place:
            result.append(others.popleft())
        result.append(item)
    return [*result, *others]


def _identity(shape: Shape, name: str) -> Callable[[Tree], Hashable]:
    """What tells the items of a list apart. Raises ``InvalidInput`` for an item without it."""
    key = shape.keys[0] if shape.keys else ""

    def identity(item: Tree) -> Hashable:
        if not key:
            return compact(item)
        if not isinstance(item, dict) or key not in item:
            raise InvalidInput(f"an item of {name} does not contain declared merge key: {key}")
        return compact(item[key])

    return identity


def _plain(patch: Tree) -> Tree:
    """*patch* without directives, where there is nothing to merge it into."""
    if not isinstance(patch, dict):
        return patch
    return _merged({}, {name: value for name, value in patch.items() if name != _PATCH}, PLAIN)


def _list(value: Tree, name: str) -> list[Tree]:
    if not isinstance(value, list):
        raise InvalidInput(f"{name} must be a list")
    return value
