"""What a pod asks for of the processor, which the HPA class measures its use against.

Source: Kubernetes ``pkg/api/v1/resource``: a limit is also the request where none is made, and a
utilization is known only if every container has one.
"""

from knlite.kinds.podspec.fields import Container, PodSpec
from knlite.kinds.quantities import InvalidQuantity, parse


def cpu_request(pod: PodSpec) -> float | None:
    """Cores that the containers of *pod* ask for together; None if one of them does not say."""
    total = 0.0
    for container in pod.containers:
        cores = _cores(container)
        if not cores:
            return None
        total += cores
    return total or None


def _cores(container: Container) -> float | None:
    resources = container.resources
    if resources is None:
        return None
    said = resources.requests.get("cpu", resources.limits.get("cpu"))
    if said is None:
        return None
    try:
        return float(parse(said))
    except InvalidQuantity:
        return None
