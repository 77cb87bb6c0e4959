"""What is true of a revision at one moment: its load and its scale, for metrics and consoles.

Nobody keeps these: whoever asks gets them made from what the activator and the autoscaler have.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple


class InstanceCounts(NamedTuple):
    """The instances of a revision by where they are in their life."""

    ready: int = 0
    not_ready: int = 0
    """Started, but their readiness probe has not passed yet."""
    pending: int = 0
    """To be started."""
    terminating: int = 0
    frozen: int = 0
    """Kept in memory at scale zero, to be thawed by the next request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionLoad:
    """The requests of one revision."""

    namespace: str
    service: str
    revision: str
    configuration: str = ""
    queued: int
    """Waiting for a place."""
    active: int
    """At an instance."""
    concurrency: float
    """Queued and active on average over the last second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionScale:
    """What the autoscaler knows and wants of one revision. Source: Knative reference §6.1."""

    namespace: str
    service: str
    revision: str
    configuration: str
    desired: int | None
    """What the load asks for; None while it is not known."""
    requested: int
    """What it shall be, after bounds."""
    instances: InstanceCounts
    excess: float
    """Excess burst capacity, in requests."""
    panic: bool
    metric: Literal["concurrency", "rps"]
    stable: float
    """Average of the metric over the stable window."""
    in_panic_window: float
    target: float
    """Of the metric, for each instance."""
