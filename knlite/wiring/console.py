"""The console: its page, and those who answer what the page asks."""

import secrets
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from starlette.routing import BaseRoute

from knlite.apiserver.beside import Beside
from knlite.apiserver.ending import Ending
from knlite.console.graphroute import Graphs
from knlite.console.live import Live
from knlite.console.manifests.conditions import ConditionHistory
from knlite.console.manifests.routes import Manifests
from knlite.console.page import Page
from knlite.controlplane.applier import Applier
from knlite.controlplane.chooser import Chooser
from knlite.controlplane.resting import Resting
from knlite.settings import Settings
from knlite.telemetry.bus import Bus
from knlite.telemetry.logs import Logs
from knlite.telemetry.metrics import Metrics
from knlite.wiring.basics import Basics
from knlite.wiring.dataplane import DataPlane
from knlite.wiring.live import open_live
from knlite.wiring.requests import show_requests
from knlite.wiring.scaling import Scaling
from knlite.wiring.services import routes_of_services


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
    live = open_live(basics, bus, shown.plane.activator, shown.scaling.autoscaler, held)
    live.topic("events")
    live.while_watched("events", partial(shown.plane.records.telling, partial(live.add, "events")))
    graphs = Graphs(basics.registry)
    history = ConditionHistory(basics.clock.wall)
    held.enter_context(basics.registry.listening(history.note))
    manifests = Manifests(basics.registry, shown.applier.place_of, history)
    graphs.tell(live)
    services = routes_of_services(
        basics, bus, held, shown.scaling, shown.chooser, shown.plane.gateway
    )
    routes: list[BaseRoute] = [
        *Page(token).routes(),
        *Live(live, ending).routes(),
        *graphs.routes(),
        *show_requests(basics, bus, held, live, ending, metrics=shown.metrics, logs=shown.logs),
        *services,
        *manifests.routes(),
    ]
    return Beside(routes=routes, token=token, ending=ending)
