"""JSON merge patch: members replace members, null removes, lists are replaced whole.

Source: RFC 7386.
"""

from dataclasses import dataclass

from knlite.errors import InvalidInput
from knlite.kinds.patch.tree import Tree


@dataclass(frozen=True, slots=True)
class MergePatch:
    """*tree* must be an object; raises ``InvalidInput`` else."""

    tree: Tree

    def __post_init__(self) -> None:
        if not isinstance(self.tree, dict):
            raise InvalidInput("a merge patch must be a JSON object")

    def applied_to(self, tree: Tree) -> Tree:
        """*tree* with the patch merged in."""
        return _merged(tree, self.tree)


def _merged(target: Tree, patch: Tree) -> Tree:
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value)
    return result
