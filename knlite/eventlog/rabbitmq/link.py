"""The connections to one server, which come back by themselves.

Two of them, as RabbitMQ advises: a server that takes nothing for a while, since its memory or its
disk is full, stops reading the one on which events are published, and acknowledgements must not
wait behind them.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

import anyio

from knlite.clock import Clock
from knlite.eventing.rabbitmq.backing import RabbitmqServer
from knlite.eventlog.backoff import LONGEST, wait_before
from knlite.eventlog.rabbitmq import complaints
from knlite.eventlog.rabbitmq.complaints import Trouble
from knlite.eventlog.rabbitmq.wire import Refused, Wire, connected

_LASTED = 10.0
"""Seconds after which a connection that ends counts as one that worked."""


class Signal:
    """Wakes all who wait when something may have changed; they look at it themselves."""

    def __init__(self) -> None:
        self._event = anyio.Event()

    def tell(self) -> None:
        """Something has changed."""
        event, self._event = self._event, anyio.Event()
        event.set()

    async def wait(self) -> None:
        """Return at the next change."""
        await self._event.wait()


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """Both connections, from when they are there until one of them is lost."""

    publishing: Wire
    consuming: Wire


class Link:
    """One server, as one user in one virtual host."""

    def __init__(self, server: RabbitmqServer, clock: Clock, draw: random.Random) -> None:
        self.server = server
        self.session: Session | None = None
        self.trouble: Trouble | None = None
        """Why there is no session; None with no session: the first attempt goes on."""
        self.users: dict[object, Callable[[], None]] = {}
        """Who uses it, and is called when one of these changes."""
        self.scope = anyio.CancelScope()
        self._clock = clock
        self._draw = draw

    async def run(self) -> None:
        """Keep the connections until cancelled."""
        with self.scope:
            failures = 0
            while True:
                began = self._clock.now()
                trouble = await self._connect()
                if self._clock.now() - began > _LASTED and not trouble.lasting:
                    failures = 0
                self._change(None, trouble)
                delay = LONGEST if trouble.lasting else wait_before(failures, self._draw)
                failures += 1
                await self._clock.sleep_until(self._clock.now() + delay)

    async def _connect(self) -> Trouble:
        """Connect, and return when that has failed or ended."""
        server = self.server
        trouble = Trouble(
            f"{server.address}: the connection was lost",
            "start the server again; what waits there is safe",
        )
        try:
            async with (
                connected(server, "knlite: publishing") as publishing,
                connected(server, "knlite: consuming") as consuming,
                anyio.create_task_group() as group,
            ):
                wires = (publishing, consuming)
                for wire in wires:
                    group.start_soon(wire.write)
                    group.start_soon(_until_ended, wire, group.cancel_scope)
                publishing.when_blocked(self._tell)
                self._change(Session(publishing, consuming), None)
                try:
                    await anyio.sleep_forever()
                finally:
                    said = next((wire.words for wire in wires if wire.words), "")
                    if said:
                        trouble = complaints.of_connecting(Refused(0, said), server)
                    # At once: who uses them need not find out for itself.
                    self._change(None, trouble)
        except Exception as exc:  # noqa: BLE001  what a Secret says may fail in any way
            return complaints.of_connecting(exc, server)
        return trouble

    def _change(self, session: Session | None, trouble: Trouble | None) -> None:
        self.session, self.trouble = session, trouble
        self._tell()

    def _tell(self) -> None:
        for call in tuple(self.users.values()):
            call()


async def _until_ended(wire: Wire, scope: anyio.CancelScope) -> None:
    await wire.ended()
    scope.cancel()
