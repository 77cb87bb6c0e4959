"""JSON trees, as ``json.loads`` gives them, and what is wrong with a patch of one."""

from typing import Any

from knlite.errors import Invalid

Tree = Any
"""None, bool, int, float, str, list or dict with texts as keys."""


class PatchFailed(Invalid):
    """The patch is well-formed but cannot be applied to the object as it is now."""

    def __init__(self, cause: str) -> None:
        super().__init__(
            "the server rejected our request due to an error in our request", cause=cause
        )


def equal(one: Tree, other: Tree) -> bool:
    """Whether two trees say the same; unlike ``==``, ``1`` and ``True`` differ."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)
