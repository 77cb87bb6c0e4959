"""Making children: the owner reference, and whose child an object is.

Source: Kubernetes ``apimachinery/pkg/apis/meta/v1/controller_ref.go``; Knative reference §1.10.
"""

from knlite.kinds.catalog import info_of
from knlite.kinds.meta import Object, OwnerReference, controller_of


def owned_by(owner: Object) -> tuple[OwnerReference, ...]:
    """The reference that makes *owner* the controller of a child."""
    meta, info = owner.metadata, info_of(type(owner))
    return (
        OwnerReference(
            api_version=info.api_version,
            kind=info.kind,
            name=meta.name,
            uid=meta.uid,
            controller=True,
            block_owner_deletion=True,
        ),
    )


def controls(owner: Object, child: Object) -> bool:
    """Whether *owner* is the controller of *child*."""
    reference = controller_of(child)
    return reference is not None and reference.uid == owner.metadata.uid
