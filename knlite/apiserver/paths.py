"""Paths of the Kubernetes API: what ``/apis/GROUP/VERSION/namespaces/NAMESPACE/…`` names.

Source: Kubernetes API concepts (resource URIs).
"""

from dataclasses import dataclass

from knlite.kinds.catalog import by_resource
from knlite.kinds.kindinfo import KindInfo


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names: all objects of a kind, those of a namespace, one object, a part of it."""

    info: KindInfo
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def resource(self) -> str:
        """``services.serving.knative.dev``, as messages name it."""
        return self.info.resource


def parse(group: str, version: str, rest: str) -> Target | None:
    """What *rest* of a path below ``/apis/GROUP/VERSION/`` names; None if it is nothing."""
    steps = rest.split("/")
    if not all(steps):
        return None
    namespace = ""
    # /namespaces/NAME/status is a part of the namespace, not a kind in it.
    if steps[0] == "namespaces" and len(steps) > 2 and not _is_part_of_namespace(group, steps):
        namespace, steps = steps[1], steps[2:]
    info = by_resource(group, version, steps[0])
    if info is None or len(steps) > 3 or (namespace and not info.namespaced):
        return None
    name, subresource = (*steps[1:], "", "")[:2]
    if name and info.namespaced and not namespace:
        return None
    return Target(info, namespace, name, subresource)


def _is_part_of_namespace(group: str, steps: list[str]) -> bool:
    return not group and len(steps) == 3 and steps[2] in {"status", "finalize"}
