"""Who writes into objects how what they have on a server stands."""

from contextlib import AsyncExitStack

from knlite.controlplane.logstandings import READ, LogStandings
from knlite.telemetry.bus import Bus
from knlite.wiring.basics import Basics


def keep_standings(basics: Basics, bus: Bus, held: AsyncExitStack) -> None:
    """Do so until *held* ends."""
    standings = LogStandings(basics.registry, basics.reporter, basics.clock)
    held.enter_context(bus.reading(standings.read, *READ))
    held.enter_context(basics.registry.listening(standings.note))
