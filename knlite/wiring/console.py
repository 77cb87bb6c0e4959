"""The console: its page, and those who answer what the page asks."""

import secrets
from contextlib import AsyncExitStack
from dataclasses import dataclass

from starlette.routing import BaseRoute

from knlite.apiserver.beside import Beside
from knlite.apiserver.ending import Ending
from knlite.console.page import Page
from knlite.console.services import ServiceRoutes
from knlite.controlplane.applier import Applier
from knlite.controlplane.chooser import Chooser
from knlite.controlplane.restarting import Restarting
from knlite.controlplane.resting import Resting
from knlite.dataplane.invoking import Invoker
from knlite.settings import Settings
from knlite.telemetry import scalehistory
from knlite.telemetry.bus import Bus
from knlite.telemetry.logs import Logs
from knlite.telemetry.metrics import Metrics
from knlite.telemetry.scalehistory import ScaleHistory
from knlite.wiring.basics import Basics
from knlite.wiring.dataplane import DataPlane
from knlite.wiring.scaling import Scaling


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The parts of a run that the console shows, or acts on."""

    settings: Settings
    logs: Logs
    metrics: Metrics
    applier: Applier
    chooser: Chooser
    plane: DataPlane
    scaling: Scaling
    resting: Resting


def open_console(basics: Basics, bus: Bus, held: AsyncExitStack, shown: Shown) -> Beside:
    """What it serves; its readers of facts are kept by *held*."""
    ending, token = Ending(), secrets.token_urlsafe(32)
    history = ScaleHistory()
    held.enter_context(bus.reading(history.read, *scalehistory.READ))
    supervisor = shown.scaling[0]
    restarting = Restarting(basics.registry, supervisor.renew, supervisor.counts)
    services = ServiceRoutes(
        basics.registry,
        history=history,
        origin=shown.chooser.told,
        restart=restarting.restart,
        invoke=Invoker(shown.plane.gateway.ask).invoke,
    )
    routes: list[BaseRoute] = [*Page(token).routes(), *services.routes()]
    return Beside(routes=routes, token=token, ending=ending)
