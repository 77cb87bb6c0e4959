"""The log of requests, as long as config-observability says so."""

from contextlib import AsyncExitStack
from pathlib import Path

from knlite.facts import RequestDone
from knlite.telemetry.accesslog import AccessLog
from knlite.telemetry.bus import Bus
from knlite.wiring.basics import Basics


def log_requests(basics: Basics, bus: Bus, data_dir: Path | None, held: AsyncExitStack) -> None:
    """Do so until *held* ends; into files only below *data_dir*."""
    registry = basics.registry
    log = AccessLog(data_dir / "logs" if data_dir else None, basics.clock, basics.publish)
    held.callback(log.close)
    held.enter_context(bus.reading(log.read, RequestDone))

    def configure(_: object = None) -> None:
        log.configure(registry.config.observability)

    configure()
    held.enter_context(registry.listening(configure))
