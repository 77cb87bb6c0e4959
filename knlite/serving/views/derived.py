"""What all computed objects share: names, identity, version and labels, from what they follow from.

Source: knlite's own, ``docs/adr/0020-views-are-computed.md``; labels and annotations: Knative
reference §1.10, knative/serving ``pkg/reconciler/revision/resources/meta.go``.
"""

from collections.abc import Mapping
from uuid import UUID, uuid5

from knlite.kinds.labels import (
    AUTOSCALING,
    REVISION,
    REVISION_UID,
    ROUTE,
    ROUTES,
    ROUTING_STATE,
    ROUTING_STATE_MODIFIED,
)
from knlite.kinds.meta import Object, ObjectMeta
from knlite.kinds.ownership import owned_by
from knlite.kinds.serving.revision import Revision

_IDENTITIES = UUID("5e2c0b9a-6f0e-4f0c-9a58-4f7c9d4b1f6e")
"""Uids are made from this and the owner's, so that they are the same at every reading."""
_OWN_LABELS = frozenset((ROUTE, ROUTING_STATE))
_OWN_ANNOTATIONS = frozenset((ROUTES, ROUTING_STATE_MODIFIED))


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


def instance_labels(revision: Revision) -> dict[str, str]:
    """The labels of everything that runs *revision*."""
    meta = revision.metadata
    labels = {key: value for key, value in meta.labels.items() if key not in _OWN_LABELS}
    return {"app": meta.name, **labels, REVISION: meta.name, REVISION_UID: meta.uid}


def instance_annotations(revision: Revision) -> dict[str, str]:
    """The annotations of everything that runs *revision*: scaling and routing are not its."""
    return {
        key: value
        for key, value in revision.metadata.annotations.items()
        if key not in _OWN_ANNOTATIONS and not key.startswith(AUTOSCALING)
    }
