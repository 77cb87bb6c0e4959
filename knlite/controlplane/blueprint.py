"""What an instance of a revision is started with, and how it is looked after."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from knlite.runtime.port import Launch, Runtime
from knlite.serving.instance import RevisionName
from knlite.serving.probing import ContainerProbes


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """Everything needed to start an instance of one revision."""

    runtime: Runtime
    launch: Launch
    probes: tuple[ContainerProbes, ...]
    """Of its containers, the serving one first."""
    deadline: float
    """Seconds that an instance may take to become ready."""
    grace: float
    """Seconds that it may take to finish its requests, and then to end."""


Blueprints = Callable[[RevisionName, str], Awaitable[Blueprint]]
"""Makes the blueprint for one instance by name. Raises ``InstanceFailed``."""
