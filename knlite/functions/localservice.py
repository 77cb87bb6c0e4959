"""The Service of a function that runs alone on this machine, for its author to try.

What only a cluster has is left out: volumes, pull secrets, a service account, and the annotations
of whoever runs it there. It starts at once and stays, as a program does that one starts by hand.

Source: Knative Functions reference §4.5.
Not here: the Service that is deployed (``service.py``).
"""

from collections.abc import Mapping

from knlite.functions.funcspec import FuncYaml
from knlite.functions.service import require_name
from knlite.kinds.labels import MIN_SCALE, PROGRESS_DEADLINE

NAMESPACE = "default"
_PROBED = frozenset(("go", "python", "node", "typescript"))
"""Languages whose functions answer the health paths by themselves."""


def local_service(
    func: FuncYaml, image: str, envs: Mapping[str, str], *, start_seconds: float, procfile: bool
) -> dict[str, object]:
    """The Service as a document; its name is the function's.

    A project with a *procfile* is asked only whether it takes connections. Raises ``InvalidInput``
    if no Service can have the function's name.
    """
    require_name(func.name)
    container: dict[str, object] = {
        "image": image,
        "env": [{"name": name, "value": value} for name, value in sorted(envs.items())],
    }
    told = func.deploy.health_endpoints.readiness
    if told or (func.runtime in _PROBED and not procfile):
        container["readinessProbe"] = {"httpGet": {"path": func.health[1]}}
    spec: dict[str, object] = {"containers": [container]}
    resources = func.deploy.options.resources
    if resources is not None and resources.limits is not None:
        spec["containerConcurrency"] = resources.limits.concurrency or 0
    annotations = {MIN_SCALE: "1", PROGRESS_DEADLINE: f"{max(1, round(start_seconds))}s"}
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": func.name, "namespace": NAMESPACE},
        "spec": {"template": {"metadata": {"annotations": annotations}, "spec": spec}},
    }
