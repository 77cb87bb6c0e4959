"""Whether an instance fits on this machine at all, as Kubernetes' scheduler would say it.

Source: Kubernetes' scheduler (plugin NodeResourcesFit, its texts); Knative reference §1.11
(``Unschedulable``).
Differs: what other instances have asked for does not count. A laptop runs more than its cores, and
what cannot run anywhere on it is what somebody has to be told of.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from knlite.errors import InstanceFailed
from knlite.kinds.podspec.fields import Container, PodSpec
from knlite.kinds.quantities import parse

UNSCHEDULABLE = "Unschedulable"


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the machine has: processors, and memory in bytes."""

    cpus: float
    memory: int


def require_schedulable(spec: PodSpec, capacity: Capacity) -> None:
    """Refuse what asks for more than the machine has. Raises ``InstanceFailed``."""
    lacking = tuple(_lacking(spec, capacity))
    if lacking:
        memory = capacity.memory // 2**20
        raise InstanceFailed(
            UNSCHEDULABLE,
            f"0/1 nodes are available: {', '.join(f'1 Insufficient {name}' for name in lacking)}.",
            cause=f"this machine has {capacity.cpus:g} cpus and {memory}Mi of memory",
            fix="ask for less in resources.requests",
        )


def _lacking(spec: PodSpec, capacity: Capacity) -> Iterator[str]:
    if _requested(spec, "cpu") > capacity.cpus:
        yield "cpu"
    if _requested(spec, "memory") > capacity.memory:
        yield "memory"


def _requested(spec: PodSpec, resource: str) -> Decimal:
    """What all containers ask for together, or an init container alone."""
    together = sum((_of(each, resource) for each in spec.containers), Decimal(0))
    return max((together, *(_of(each, resource) for each in spec.init_containers)))


def _of(container: Container, resource: str) -> Decimal:
    resources = container.resources
    if resources is None:
        return Decimal(0)
    # As the API server: a limit without a request is also what is asked for.
    asked = resources.requests.get(resource, resources.limits.get(resource))
    return parse(asked) if asked is not None else Decimal(0)
