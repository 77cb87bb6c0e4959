"""Instances as the two planes speak of them: addresses, endpoints, samples.

These values cross between control plane and data plane, which do not know each other.
"""

from dataclasses import dataclass
from typing import NamedTuple


class RevisionName(NamedTuple):
    """Names a revision."""

    namespace: str
    name: str


class Address(NamedTuple):
    """Where an instance listens."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An instance that may get requests."""

    instance: str
    address: Address


@dataclass(frozen=True, slots=True)
class Sample:
    """What the activator saw of one revision during one period.

    *concurrency* is the time-weighted average of requests held or running, *requests* how many
    arrived per second.
    """

    concurrency: float
    requests: float
