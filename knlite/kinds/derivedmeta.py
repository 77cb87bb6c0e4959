"""Metadata of computed objects: names, identity and version, from what they follow from.

Source: knlite's own, ``docs/adr/0020-views-are-computed.md``.
Not here: what they say (``serving/views``, ``eventing/views``).
"""

from collections.abc import Mapping
from uuid import UUID, uuid5

from knlite.kinds.meta import Object, ObjectMeta
from knlite.kinds.ownership import owned_by

_IDENTITIES = UUID("5e2c0b9a-6f0e-4f0c-9a58-4f7c9d4b1f6e")
"""Uids are made from this and the owner's, so that they are the same at every reading."""


def derived_meta(
    owner: Object,
    kind: str,
    name: str,
    *sources: Object | None,
    labels: Mapping[str, str],
    annotations: Mapping[str, str] | None = None,
) -> ObjectMeta:
    """Metadata of the *kind* called *name* that *owner* controls.

    It is as old as its owner and as new as the newest of *owner* and *sources*.
    """
    meta = owner.metadata
    return ObjectMeta(
        name=name,
        namespace=meta.namespace,
        uid=str(uuid5(_IDENTITIES, f"{kind}/{name}/{meta.uid}")),
        resource_version=newest(owner, *sources),
        generation=1,
        creation_timestamp=meta.creation_timestamp,
        labels=labels,
        annotations=annotations or {},
        owner_references=owned_by(owner),
    )


def newest(*sources: Object | None) -> str:
    """The greatest resourceVersion among *sources*."""
    versions = (int(each.metadata.resource_version or 0) for each in sources if each is not None)
    return str(max(versions, default=0))
