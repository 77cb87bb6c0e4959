"""Labels and annotations of everything that is computed of a revision.

Source: Knative reference §1.10, knative/serving ``pkg/reconciler/revision/resources/meta.go``.
Not here: the rest of their metadata (``kinds/derivedmeta.py``).
"""

from knlite.kinds.labels import (
    AUTOSCALING,
    REVISION,
    REVISION_UID,
    ROUTE,
    ROUTES,
    ROUTING_STATE,
    ROUTING_STATE_MODIFIED,
)
from knlite.kinds.serving.revision import Revision

_OWN_LABELS = frozenset((ROUTE, ROUTING_STATE))
_OWN_ANNOTATIONS = frozenset((ROUTES, ROUTING_STATE_MODIFIED))


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
