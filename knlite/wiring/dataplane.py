"""Those who pass requests and events on, and who tells them where to."""

import socket
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from knlite.controlplane.projector import Projector
from knlite.dataplane.activator import Activator
from knlite.dataplane.dispatcher import Dispatcher
from knlite.dataplane.eventingress import EventIngress
from knlite.dataplane.gateway import Gateway
from knlite.dataplane.https import Https
from knlite.dataplane.sender import EventSender
from knlite.dataplane.wire.limits import Limits
from knlite.eventlog.engines import Opened, open_engines
from knlite.settings import Settings
from knlite.telemetry.bus import Bus
from knlite.telemetry.eventrecords import READ, EventRecords
from knlite.wiring.basics import Basics


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPlane:
    """One run's."""

    activator: Activator
    projector: Projector
    gateway: Gateway
    https: Https
    brokers: EventIngress
    sender: EventSender
    dispatcher: Dispatcher
    engines: Opened
    records: EventRecords


async def open_dataplane(
    basics: Basics,
    settings: Settings,
    limits: Limits,
    listen: Callable[[], Sequence[socket.socket]],
    bus: Bus,
    held: AsyncExitStack,
    warn: Callable[[str], None],
) -> DataPlane:
    """What *held* keeps until the run ends; *listen* opens the ports for HTTPS."""
    registry, clock, publish, draw = basics.registry, basics.clock, basics.publish, basics.draw
    activator = Activator(clock, publish, draw, basics.tracing)
    engines = await held.enter_async_context(
        open_engines(settings, registry.view, clock, warn, publish, draw)
    )
    records = EventRecords(engines.history)
    held.enter_context(bus.reading(records.read, *READ))
    brokers = EventIngress(
        clock,
        publish,
        engines.engines,
        after=engines.history.newest,
        tokens=basics.issuer,
        tracing=basics.tracing,
    )
    gateway = Gateway(
        activator,
        brokers,
        draw,
        limits,
        settings.tls_port,
        complain=warn,
        front=settings.front,
    )
    sender = EventSender(gateway)
    held.push_async_callback(sender.aclose)
    dispatcher = Dispatcher(brokers, sender, clock, publish, tokens=basics.issuer)
    projector = Projector(registry, clock)
    projector.report_to(gateway, activator, dispatcher)
    brokers.ask_first(projector.catch_up)
    https = Https(gateway.secure.handle, listen, projector, clock, publish, limits)
    projector.certify(https)
    return DataPlane(
        activator=activator,
        projector=projector,
        gateway=gateway,
        https=https,
        brokers=brokers,
        sender=sender,
        dispatcher=dispatcher,
        engines=engines,
        records=records,
    )
