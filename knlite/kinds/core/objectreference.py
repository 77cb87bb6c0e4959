"""ObjectReference: how Kubernetes' kinds name another object.

Source: Kubernetes core/v1 ObjectReference.
Not here: Knative's own (``kinds/kreference.py``).
"""

from knlite.kinds.meta import Fields


class ObjectReference(Fields):
    """Names an object from within another."""

    api_version: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    resource_version: str = ""
    field_path: str = ""
