"""One instance that the autoscaler, or a pod, asks for, through all its restarts."""

from dataclasses import dataclass, field
from typing import Literal

import anyio

from knlite.runtime.port import Instance, Runtime
from knlite.serving.instance import Endpoint, RevisionName, StartFailure

Idle = Literal["stop", "freeze"]


@dataclass(eq=False, slots=True)
class Slot:
    """Its place among the instances of *revision*; its name stays when it is started again.

    That of a plain pod belongs to no revision, and the revision's name is empty.
    """

    name: str
    revision: RevisionName
    service: str
    """Under which people know it, also when it is being deleted."""
    retired: anyio.Event = field(default_factory=anyio.Event)
    hurry: anyio.Event = field(default_factory=anyio.Event)
    endpoint: Endpoint | None = None
    """Where it may get requests; None while it may not."""
    instance: Instance | None = None
    """Its programs, from their start to their end."""
    trying: bool = True
    """Whether it is on its way to ready, rather than waiting to be tried again."""
    restarts: int = 0
    """How often it has been started again."""
    crashes: int = 0
    """The same, since it last ran for long."""
    incoming: bool = False
    """Whether it is about to take the place of another one, and counts for nothing until then."""
    decided: anyio.Event = field(default_factory=anyio.Event)
    """Set when it has been ready, or never will be."""
    failure: StartFailure | None = None
    """Why one that is incoming could not start."""
    runtime: Runtime | None = None
    """Who has started it, and remembers it until it is discarded."""
    idle: Idle | None = None
    """How it is to be at scale zero; None while it is wanted, or when it is retired for good."""
    turned: anyio.Event = field(default_factory=anyio.Event)
    """Set when ``idle`` changes; then there is a new one."""
    since: float = 0.0
    """When ``idle`` changed, on the Clock."""
    frozen: bool = False
    parking: bool = False
    """Whether its programs are being ended to be kept on disk, which may take long."""
    cost: float = 0.0
    """Seconds that its last cold start has taken."""

    def turn(self, idle: Idle | None, now: float) -> None:
        """Give it up until it is wanted again, in the way of *idle*; None: it is wanted again."""
        self.idle, self.since = idle, now
        turned, self.turned = self.turned, anyio.Event()
        turned.set()

    @property
    def resting(self) -> bool:
        """Whether it has been given up, but not for good."""
        return self.idle is not None and not self.retired.is_set()

    @property
    def running(self) -> bool:
        """Whether its programs have been started and have not ended."""
        return self.instance is not None
