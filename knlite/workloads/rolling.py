"""Which Pods of a Deployment are to go, and how many are to come, at this moment.

Source: Kubernetes ``pkg/controller/deployment`` (``rolling.go``, ``recreate.go``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor

from knlite.kinds.core.deployment import RECREATE, DeploymentSpec
from knlite.kinds.podspec.fields import Port


@dataclass(frozen=True, slots=True)
class Standing:
    """A Pod that nobody has asked to go."""

    name: str
    current: bool
    """Whether it is of the present template."""
    available: bool


@dataclass(frozen=True, slots=True)
class Step:
    """What to do now; more follows once this has had its effect."""

    create: int = 0
    delete: tuple[str, ...] = ()


def next_step(spec: DeploymentSpec, pods: Sequence[Standing], *, leaving: bool) -> Step:
    """The next step towards *spec* from *pods*, the oldest first.

    *leaving* says whether Pods of an earlier template have not gone yet.
    """
    wanted = spec.replicas or 0
    old = [] if spec.paused else [each for each in pods if not each.current]
    current = [each for each in pods if each not in old]
    surplus = _first_to_go(current)[: max(0, len(current) - wanted)]
    if spec.strategy.type == RECREATE:
        if old or leaving:
            return Step(0, _names([*surplus, *old]))
        return Step(max(0, wanted - len(current)), _names(surplus))
    room = wanted + max_surge(spec) - len(pods)
    create = max(0, min(wanted - len(current), room))
    least = wanted - max_unavailable(spec)
    spare = sum(each.available for each in pods if each not in surplus) - least
    going = [each for each in old if not each.available]
    going += [each for each in old if each.available][: max(0, spare)]
    if wanted == 0:
        going = old
    return Step(create, _names([*surplus, *going]))


def max_unavailable(spec: DeploymentSpec) -> int:
    """How many replicas may be missing during a rolling update."""
    rolling, wanted = spec.strategy.rolling_update, spec.replicas or 0
    if spec.strategy.type == RECREATE or rolling is None:
        return 0
    # Both rounded to nothing would be a standstill.
    return max(floor(_share(rolling.max_unavailable, wanted)), 0 if max_surge(spec) else 1)


def max_surge(spec: DeploymentSpec) -> int:
    """How many replicas too many there may be during a rolling update."""
    rolling = spec.strategy.rolling_update
    if spec.strategy.type == RECREATE or rolling is None:
        return 0
    return ceil(_share(rolling.max_surge, spec.replicas or 0))


def _share(share: Port | None, wanted: int) -> float:
    if isinstance(share, str):
        return int(share.removesuffix("%")) * wanted / 100
    return share or 0


def _first_to_go(pods: Sequence[Standing]) -> list[Standing]:
    """Those that serve nobody yet, then the youngest."""
    found = list(pods)
    found.reverse()
    found.sort(key=lambda each: each.available)
    return found


def _names(pods: Iterable[Standing]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.name for each in pods))
