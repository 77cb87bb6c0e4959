"""Instances as the two planes speak of them: addresses, endpoints, samples.

These values cross between control plane and data plane, which do not know each other.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple


class RevisionName(NamedTuple):
    """Names a revision."""

    namespace: str
    name: str


class Address(NamedTuple):
    """Where an instance listens."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Birth:
    """When an instance passed the stages of its start, on the run's monotonic clock."""

    ordered: float
    started: float
    ready: float
    how: str = ""
    """What the start was: ``thawed``, ``forked``, ``spawned``, ``container``; empty if not told."""
    created: float = 0.0
    """When its code was there and the runtime was told to start it, which is between ``ordered``
    and ``started``; earlier if nobody took note of it."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An instance that may get requests."""

    instance: str
    address: Address
    birth: Birth | None = None


@dataclass(frozen=True, slots=True)
class StartFailure:
    """Why no instance of a revision could start; *reason* as in conditions."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Sample:
    """What the activator saw of one revision during one period.

    *concurrency* is the time-weighted average of requests held or running, *requests* how many
    arrived per second.
    """

    concurrency: float
    requests: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionSettings:
    """What the path of a request has to know of a revision.

    Times are in seconds; 0 means that there is no such limit. Source: Knative reference §1.4, §3.5,
    §3.6 (protocol).
    """

    service: str
    configuration: str = ""
    protocol: Literal["http1", "h2c"] = "http1"
    """What the container speaks: HTTP/1.1, or HTTP/2 without TLS."""
    container_concurrency: int = 0
    timeout: float = 300.0
    response_start_timeout: float = 0.0
    idle_timeout: float = 0.0
