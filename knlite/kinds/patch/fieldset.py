"""Sets of fields: which leaves a document has, and how managed fields write them down.

A path is the tuple of its elements as FieldsV1 spells them: ``f:NAME`` for a member, ``k:KEYS`` for
the item of a list with keys, ``v:VALUE`` for the item of a set. What is atomic is one leaf.

Source: Kubernetes ``FieldsV1``; ``sigs.k8s.io/structured-merge-diff`` (``fieldpath``, ``typed``).
"""

import json
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

from knlite.kinds.patch.shapes import Shape
from knlite.kinds.patch.tree import Tree, equal

Path = tuple[str, ...]
FieldSet = frozenset[Path]

_ITSELF = "."
_DEEPEST = 100


class NotTyped(Exception):
    """A list with keys whose items cannot be told apart; the text says where and why."""


class Damaged(Exception):
    """Managed fields that nobody can have written on purpose."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the leaves of one document differ from those of an older one."""

    added: FieldSet
    modified: FieldSet
    removed: FieldSet


def leaves(tree: Tree, shape: Shape, *, strict: bool = False) -> dict[Path, Tree]:
    """Every leaf of *tree* with its value; an item of a list with keys is one as well (None).

    A list whose items cannot be told apart is one leaf, or with *strict* raises ``NotTyped``.
    """
    return dict(_leaves(tree, shape, (), strict))


def compared(old: Mapping[Path, Tree], new: Mapping[Path, Tree]) -> Comparison:
    """How *new* leaves differ from *old* ones."""
    return Comparison(
        added=frozenset(new.keys() - old.keys()),
        modified=frozenset(p for p in new.keys() & old.keys() if not equal(old[p], new[p])),
        removed=frozenset(old.keys() - new.keys()),
    )


def merged(old: Tree, new: Tree, shape: Shape) -> Tree:
    """*old* with all that *new* says."""
    if isinstance(old, dict) and isinstance(new, dict) and not shape.atomic:
        joined = dict(old)
        for name, value in new.items():
            joined[name] = merged(old.get(name), value, shape.child(name))
        return joined
    if isinstance(old, list) and isinstance(new, list):
        present, wanted = _items(old, shape), _items(new, shape)
        if present is not None and wanted is not None:
            return _merged_items(present, wanted, shape)
        if shape.is_set:
            has = set(map(compact, old))
            return [*old, *(item for item in new if compact(item) not in has)]
    return new


def without(tree: Tree, paths: Set[Path], shape: Shape) -> Tree:
    """*tree* without what is at *paths*; what becomes empty by that goes as well."""
    return _without(tree, paths, shape, ())


def encoded(paths: Set[Path]) -> dict[str, Any]:
    """*paths* as FieldsV1."""
    root: dict[str, Any] = {}
    members: list[dict[str, Any]] = []
    for path in sorted(paths):
        node = root
        for element in path:
            node = node.setdefault(element, {})
        members.append(node)
    for node in members:
        if node:
            # It has members of its own and is owned itself, too.
            node[_ITSELF] = {}
    return root


def decoded(tree: Tree) -> FieldSet:
    """The paths in FieldsV1. Raises ``Damaged``."""
    return frozenset(_decoded(tree, ()))


def shown(path: Path) -> str:
    """*path* as conflicts name it: ``.spec.template.spec.containers``, ``[name="c"]``."""
    return "".join(map(_shown, path))


def item_key(item: Tree, shape: Shape, path: Path = ()) -> str:
    """What tells *item* from the others of its list. Raises ``NotTyped``."""
    found = {}
    for key in shape.keys:
        value = item.get(key, shape.defaults.get(key)) if isinstance(item, dict) else None
        if value is None:
            raise NotTyped(
                f"{shown(path)}: associative list with keys has an element that omits key field"
                f' "{key}" (and doesn\'t have default value)'
            )
        found[key] = value
    return "k:" + compact(found)


def _leaves(tree: Tree, shape: Shape, path: Path, strict: bool) -> Iterator[tuple[Path, Tree]]:
    if isinstance(tree, dict) and tree and not shape.atomic and len(path) < _DEEPEST:
        for name, value in tree.items():
            yield from _leaves(value, shape.child(name), (*path, f"f:{name}"), strict)
    elif isinstance(tree, list) and shape.is_set:
        for key in dict.fromkeys(map(compact, tree)):
            yield (*path, f"v:{key}"), None
    elif isinstance(tree, list) and (items := _items(tree, shape)) is not None:
        for key, item in items.items():
            yield (*path, key), None
            yield from _leaves(item, Shape(fields=shape.fields), (*path, key), strict)
    elif path:
        if strict and isinstance(tree, list) and shape.keys:
            _require_distinct(tree, shape, path)
        yield path, tree


def _items(tree: list[Tree], shape: Shape) -> dict[str, Tree] | None:
    """The items of a list by their keys; None if it has none, or they cannot be told apart."""
    if not shape.keys:
        return None
    try:
        _require_distinct(tree, shape, ())
    except NotTyped:
        return None
    return {item_key(item, shape): item for item in tree}


def _require_distinct(tree: list[Tree], shape: Shape, path: Path) -> None:
    seen: set[str] = set()
    for item in tree:
        key = item_key(item, shape, path)
        if key in seen:
            raise NotTyped(f"{shown(path)}: duplicate entries for key {_shown(key)}")
        seen.add(key)


def _merged_items(
    present: Mapping[str, Tree], wanted: Mapping[str, Tree], shape: Shape
) -> list[Tree]:
    item_shape = Shape(fields=shape.fields)
    # The order of the newer document counts, as long as it names everything.
    order = wanted if present.keys() <= wanted.keys() else {**present, **wanted}
    return [
        merged(present[key], wanted[key], item_shape)
        if key in present and key in wanted
        else wanted.get(key, present.get(key))
        for key in order
    ]


def _without(tree: Tree, paths: Set[Path], shape: Shape, path: Path) -> Tree:
    if isinstance(tree, dict) and not shape.atomic:
        kept = {}
        for name, value in tree.items():
            below = (*path, f"f:{name}")
            if below in paths:
                continue
            left = _without(value, paths, shape.child(name), below)
            if left or not value:
                kept[name] = left
        return kept
    if isinstance(tree, list) and (items := _items(tree, shape)) is not None:
        item_shape = Shape(fields=shape.fields)
        return [
            _without(item, paths, item_shape, (*path, key))
            for key, item in items.items()
            if (*path, key) not in paths
        ]
    if isinstance(tree, list) and shape.is_set:
        return [item for item in tree if (*path, "v:" + compact(item)) not in paths]
    return tree


def _decoded(tree: Tree, path: Path) -> Iterator[Path]:
    if not isinstance(tree, dict) or len(path) > _DEEPEST:
        raise Damaged("it is no set of fields")
    if not tree and path:
        yield path
    for element, below in tree.items():
        if element == _ITSELF:
            yield path
        elif element[:2] in {"f:", "k:", "v:", "i:"}:
            yield from _decoded(below, (*path, element))
        else:
            raise Damaged(f"{element!r} is no path element")


def _shown(element: str) -> str:
    kind, text = element[:2], element[2:]
    if kind == "f:":
        return f".{text}"
    if kind == "k:":
        try:
            keys = json.loads(text)
            return "[" + ",".join(f"{key}={compact(keys[key])}" for key in sorted(keys)) + "]"
        except (ValueError, TypeError):
            return f"[{text}]"
    return f"[={text}]" if kind == "v:" else f"[{text}]"


def compact(value: Tree) -> str:
    """*value* in few bytes; equal values give equal texts."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
