"""Strategic merge patch: a merge patch that knows which lists are merged, and by which key.

Only the core kinds have it; Knative's are custom resources, which have not.

Source: Kubernetes ``apimachinery/pkg/util/strategicpatch``.
"""

from dataclasses import dataclass

from knlite.errors import InvalidInput
from knlite.kinds.patch.merge import MergePatch
from knlite.kinds.patch.tree import Tree


@dataclass(frozen=True, slots=True)
class StrategicPatch:
    """*tree* must be an object; raises ``InvalidInput`` else."""

    tree: Tree

    def __post_init__(self) -> None:
        if not isinstance(self.tree, dict):
            raise InvalidInput("a strategic merge patch must be a JSON object")

    def applied_to(self, tree: Tree) -> Tree:
        """*tree* with the patch merged in."""
        return MergePatch(self.tree).applied_to(tree)
