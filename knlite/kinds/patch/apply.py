"""Server-side apply: a manager says which fields it wants, and owns them from then on.

Source: Kubernetes "Server-Side Apply"; ``sigs.k8s.io/structured-merge-diff``.
"""

from dataclasses import dataclass

from knlite.errors import InvalidInput
from knlite.kinds.patch.merge import MergePatch
from knlite.kinds.patch.tree import Tree


@dataclass(frozen=True, slots=True)
class ApplyPatch:
    """*tree* is a document with apiVersion and kind; with *force* it takes fields from others."""

    tree: Tree
    force: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.tree, dict):
            raise InvalidInput("an apply patch must be an object with apiVersion and kind")

    def applied_to(self, tree: Tree) -> Tree:
        """*tree* with what is wanted merged in."""
        return MergePatch(self.tree).applied_to(tree)
