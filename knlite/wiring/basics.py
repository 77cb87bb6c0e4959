"""What every group of parts is built on."""

import random
from dataclasses import dataclass

from knlite.clock import Clock
from knlite.controlplane.reporting import Reporter
from knlite.dataplane.tracing import Tracing
from knlite.facts import Publish
from knlite.issuer import Issuer
from knlite.registry.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Basics:
    """One run's."""

    registry: Registry
    clock: Clock
    publish: Publish
    draw: random.Random
    reporter: Reporter
    issuer: Issuer
    tracing: Tracing
