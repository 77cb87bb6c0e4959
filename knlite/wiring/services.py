"""What the console shows of services, and does to them."""

from contextlib import AsyncExitStack

from starlette.routing import Route

from knlite.console.revisionview import Known
from knlite.console.services import ServiceRoutes
from knlite.controlplane.chooser import Chooser
from knlite.controlplane.restarting import Restarting
from knlite.dataplane.gateway import Gateway
from knlite.dataplane.invoking import Invoker
from knlite.telemetry import scalehistory
from knlite.telemetry.bus import Bus
from knlite.telemetry.scalehistory import ScaleHistory
from knlite.wiring.basics import Basics
from knlite.wiring.scaling import Scaling


def routes_of_services(
    basics: Basics,
    bus: Bus,
    held: AsyncExitStack,
    scaling: Scaling,
    chooser: Chooser,
    gateway: Gateway,
) -> list[Route]:
    """Who answers; the readers of facts are kept by *held*."""
    history, supervisor = ScaleHistory(), scaling.supervisor
    held.enter_context(bus.reading(history.read, *scalehistory.READ))
    restarting = Restarting(basics.registry, supervisor.renew, supervisor.counts)
    return ServiceRoutes(
        basics.registry,
        known=Known(history=history, origin=chooser.told, scale=scaling.autoscaler.scale),
        restart=restarting.restart,
        invoke=Invoker(gateway.ask).invoke,
    ).routes()
