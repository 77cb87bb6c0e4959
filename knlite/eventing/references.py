"""References by ``apiVersion`` and ``kind``: the kind they mean, and the words for what is gone.

The version counts for nothing: every kind here is stored in one.

Source: knative/pkg ``resolver/addressable_resolver.go``, ``apis/kind2resource.go``; Eventing
reference §1.4.
"""

from collections.abc import Mapping

from knlite.kinds.catalog import KINDS
from knlite.kinds.meta import Object

_KINDS: Mapping[tuple[str, str], type[Object]] = {
    (info.group, info.kind): info.key_type for info in KINDS
}


def kind_of(group: str, kind: str) -> type[Object] | None:
    """The type behind *kind* of *group*, if objects of it can exist here."""
    return _KINDS.get((group, kind))


def group_in(api_version: str) -> str:
    """``serving.knative.dev`` of ``serving.knative.dev/v1``; empty for the core group's ``v1``."""
    return api_version.rpartition("/")[0]


def not_found(group: str, kind: str, name: str) -> str:
    """How a cluster says it: ``brokers.eventing.knative.dev "x" not found``."""
    resource = f"{_plural(kind)}.{group}" if group else _plural(kind)
    return f'{resource} "{name}" not found'


def _plural(kind: str) -> str:
    """Kubernetes' guess at the plural, which it makes from the last letter alone."""
    singular = kind.lower()
    if singular.endswith("s"):
        return f"{singular}es"
    if singular.endswith("y"):
        return f"{singular[:-1]}ies"
    return f"{singular}s"
