"""JSON trees, as ``json.loads`` gives them, and what is wrong with a patch of one."""

from collections.abc import Iterable
from typing import Any

from knlite.errors import Invalid

Tree = Any
"""None, bool, int, float, str, list or dict with texts as keys."""

MAX_DEPTH = 200
"""Levels of lists and dicts, one in another; what is recursive can rely on it."""


class PatchFailed(Invalid):
    """The patch is well-formed but cannot be applied to the object as it is now."""

    def __init__(self, cause: str) -> None:
        super().__init__(
            "the server rejected our request due to an error in our request", cause=cause
        )


def is_deeper(tree: Tree, levels: int) -> bool:
    """Whether lists and dicts lie in one another on more than *levels* levels."""
    level = [tree]
    for _ in range(levels):
        level = [member for value in level for member in _members(value)]
        if not level:
            return False
    return any(isinstance(value, dict | list) for value in level)


def equal(one: Tree, other: Tree) -> bool:
    """Whether two trees say the same; unlike ``==``, ``1`` and ``True`` differ."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)


def _members(tree: Tree) -> Iterable[Tree]:
    if isinstance(tree, dict):
        return tree.values()
    return tree if isinstance(tree, list) else ()
