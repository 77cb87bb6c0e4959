"""What all objects share: metadata, ownership, and the frozen struct they are built from.

Source: Kubernetes API conventions (ObjectMeta, OwnerReference). Objects are frozen; a change is a
new object made with ``msgspec.structs.replace``.
"""

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias, dataclass_transform

import msgspec

Int32: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
"""What a field holds that is an int32 in Go: clients could read no list with a larger number."""
Int16: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**15), le=2**15 - 1)]
"""The same of an int16."""


# Says for the type checker what msgspec's own declaration leaves out: frozen, and by keyword.
@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Fields(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """A group of fields as it stands in a manifest: camelCase outside, absent when default.

    What is frozen and made of documents cannot hold itself, so the collector need not look.
    """


class OwnerReference(Fields):
    """Names the object whose deletion also deletes this one."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class ObjectMeta(Fields):
    """Kubernetes ObjectMeta. Times are RFC 3339 in UTC with seconds, as the API server writes."""

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    deletion_grace_period_seconds: int | None = None
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)
    owner_references: tuple[OwnerReference, ...] = ()
    finalizers: tuple[str, ...] = ()
    managed_fields: tuple[Any, ...] = ()
    self_link: str = ""


class Object(Fields):
    """Anything with metadata. ``apiVersion`` and ``kind`` come from the catalog when encoded."""

    metadata: ObjectMeta = ObjectMeta()


def described(obj: Object) -> str:
    """``namespace/name``, or the name alone for objects of the whole cluster."""
    meta = obj.metadata
    return f"{meta.namespace}/{meta.name}" if meta.namespace else meta.name


def controller_of(obj: Object) -> OwnerReference | None:
    """The one owner that manages *obj*, if any."""
    for owner in obj.metadata.owner_references:
        if owner.controller:
            return owner
    return None
