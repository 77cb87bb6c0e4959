"""The live feed of a run, and those who tell it what the facts say."""

from contextlib import AsyncExitStack

from knlite.controlplane.autoscaler import Autoscaler
from knlite.dataplane.activator import Activator
from knlite.facts import EgressChanged
from knlite.telemetry.bus import Bus
from knlite.telemetry.live import instances, notices
from knlite.telemetry.live.flow import Flow
from knlite.telemetry.live.hub import Hub
from knlite.telemetry.live.instances import Instances
from knlite.telemetry.live.load import Load
from knlite.telemetry.live.notices import Notices
from knlite.telemetry.live.objects import Objects
from knlite.wiring.basics import Basics


def open_live(
    basics: Basics, bus: Bus, activator: Activator, autoscaler: Autoscaler, held: AsyncExitStack
) -> Hub:
    """Tell until *held* ends. Others add topics of theirs before anybody can look."""
    live = Hub(basics.clock)
    Objects(live, basics.registry)
    Load(live, bus, basics.clock, activator, autoscaler)
    held.enter_context(bus.reading(Flow(live, bus).note, EgressChanged))
    held.enter_context(bus.reading(Instances(live).read, *instances.READ))
    held.enter_context(bus.reading(Notices(live).read, *notices.READ))
    return live
