"""Which names of a Route are reached from inside the cluster only.

A label hides the whole Route; the same label on the placeholder Service of a tag hides that tag.

Source: knative/serving ``pkg/reconciler/route/visibility``; Knative reference §5.2.
"""

from collections.abc import Iterable, Mapping

from knlite.kinds.config.bundle import Config
from knlite.kinds.core.k8sservice import KubernetesService
from knlite.kinds.labels import VISIBILITY
from knlite.kinds.serving.route import Route
from knlite.serving.domains import CLUSTER_LOCAL, is_local, tagged_name


def local_tags(
    route: Route,
    tags: Iterable[str],
    placeholders: Mapping[str, KubernetesService],
    config: Config,
) -> frozenset[str]:
    """Those of *tags* ("" is the Route itself) that are local; *placeholders* are by name."""
    if is_local(route, config):
        return frozenset(tags)
    return frozenset(
        tag for tag in tags if _is_hidden(placeholders.get(tagged_name(route, tag, config)))
    )


def _is_hidden(placeholder: KubernetesService | None) -> bool:
    if placeholder is None:
        return False
    return placeholder.metadata.labels.get(VISIBILITY) == CLUSTER_LOCAL
