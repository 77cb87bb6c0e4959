"""The exchange of a resource: set up, published to, and set up again when the server comes back.

Of a source it is the one to which its queue is bound, and nothing is published.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import anyio
from aiormq.abc import AbstractChannel

from knlite.errors import InvalidInput, Overloaded, Unavailable
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.rabbitmq import codec
from knlite.eventing.rabbitmq.backing import RabbitmqBacking
from knlite.eventing.rabbitmq.codec import Beside
from knlite.eventlog.backoff import wait_before
from knlite.eventlog.cancellation import only_our_cancellation
from knlite.eventlog.port import Owner
from knlite.eventlog.rabbitmq import complaints, declaring
from knlite.eventlog.rabbitmq.around import Around
from knlite.eventlog.rabbitmq.complaints import Trouble
from knlite.eventlog.rabbitmq.leftovers import Leftovers
from knlite.eventlog.rabbitmq.link import Link, Session, Signal
from knlite.eventlog.rabbitmq.plans import broker_dead_letters
from knlite.eventlog.rabbitmq.publisher import Publisher
from knlite.eventlog.rabbitmq.wire import FAILURES
from knlite.eventlog.standings import Standings

PATIENCE = 10.0
"""Seconds that an event waits at most for exchange and queues to be set up."""
GRACE = 1.0
"""Seconds for a server that takes nothing now: a memory that is full may be tidied up soon."""
_SETTING_UP = 30.0
_LASTED = 10.0
"""Seconds after which a channel that is closed counts as one that worked."""

_TOO_LARGE = re.compile(r"message size \d+ .*max size (\d+)")
"""What a server says of a message that is too large, before it closes the channel."""


@dataclass(frozen=True, slots=True, eq=False)
class Up:
    """What there is while the exchange is there, and connections to it."""

    session: Session
    publisher: Publisher


class Exchange:
    """Of one resource, for as long as that is there."""

    def __init__(
        self,
        around: Around,
        owner: Owner,
        backing: RabbitmqBacking,
        link: Link,
        changed: Callable[[], None],
    ) -> None:
        """*changed* is called when ``up`` or ``leftovers`` may be others."""
        self.backing = backing
        self.up: Up | None = None
        self.unready = set[object]()
        """Queues that are being set up, for which events wait."""
        self.standings = Standings(owner, around.publish, around.clock)
        self.leftovers = Leftovers(around.complain)
        self._around = around
        self._owner = owner
        self._link = link
        self._changed = changed
        self._signal = Signal()
        self._stale = self._doomed = False
        self._trouble: Trouble | None = None
        """Why it cannot be set up although there is a connection."""
        self._made = False
        """A source has made it, since nobody else had."""
        self._largest: int | None = None
        """Bytes of a message that the server takes, once it has refused one."""
        self._last: Session | None = None
        link.users[self] = self.look
        # A status that is kept from an earlier run must not lie.
        self.standings.resource(None)
        if broker_dead_letters(owner, backing) is not None:
            self.standings.dead_letters(None)

    async def publish(self, exchange: str, key: str, event: CloudEvent, beside: Beside) -> None:
        """Return when the server has confirmed it.

        Raises ``Unavailable``, ``Overloaded`` and ``InvalidInput`` as ``port.EventLog.append``.
        """
        up = self.up
        if up is None or self.unready or up.session.publishing.blocked:
            up = await self._ready()
        size = len(event.data or b"")
        if self._largest is not None and size > self._largest:
            raise InvalidInput(
                f"the event has {size} bytes of data",
                cause=f"the RabbitMQ server takes {self._largest} at most",
                fix="set max_message_size on the server",
            )
        if not await up.publisher.publish(exchange, key, codec.written(event, beside)):
            raise Overloaded(
                f"RabbitMQ refuses the event for {exchange or key}",
                cause="a queue is full, as a policy on the server says, or it is not available",
                fix="see what keeps the subscribers from answering, and the policies there",
            )

    def look(self) -> None:
        """Something may have changed that somebody waits for."""
        self._signal.tell()
        self._changed()

    def rebase(self, backing: RabbitmqBacking, link: Link) -> None:
        """It is as *backing* says now."""
        self._link.users.pop(self, None)
        self.backing, self._link = backing, link
        link.users[self] = self.look
        self._stale, self._trouble = True, None

    def doom(self) -> None:
        """Delete it, with what is in ``leftovers``, and end."""
        backing = self.backing
        dead = broker_dead_letters(self._owner, backing)
        if dead is not None:
            self.leftovers.add((dead.queue,), (dead.exchange,))
        if self._made or not backing.is_source:
            self.leftovers.add((), (backing.exchange,))
        self._doomed = True

    async def run(self) -> None:
        """Keep it until cancelled, or deleted."""
        failures = 0
        while True:
            session = self._link.session
            if session is None:
                self._tell_link()
                await self._signal.wait()
                continue
            began = self._around.clock.now()
            trouble: Trouble | None = None
            try:
                with only_our_cancellation():
                    await self._serve(session)
            except Exception as exc:  # noqa: BLE001  what nobody has thought of stops only this
                trouble = complaints.of_setting_up(exc, self.backing.exchange, self.backing.server)
            if self._doomed and trouble is None and not self.leftovers:
                return
            if self._stale or self._link.session is not session:
                continue
            if trouble is not None:
                self._trouble = trouble
                self._tell(trouble)
            failures = 0 if self._around.clock.now() - began > _LASTED else failures + 1
            with anyio.move_on_after(wait_before(failures, self._around.draw)):
                while not self._stale:
                    await self._signal.wait()

    async def end(self) -> None:
        """Delete what is still to be deleted, if that can be done now."""
        if self.leftovers and self._link.session is not None:
            await self.leftovers.delete(self._link.session, self.backing.server)
        self._link.users.pop(self, None)

    async def _ready(self) -> Up:
        """Wait until events can be taken. Raises ``Unavailable``."""
        with anyio.move_on_after(PATIENCE):
            while True:
                up = self.up
                trouble = self._link.trouble or self._trouble
                if trouble is not None:
                    raise trouble.unavailable(self._what())
                if up is None or up.session is not self._link.session:
                    await self._signal.wait()
                elif up.session.publishing.blocked:
                    if await self._stays_blocked(up.session):
                        raise _blocked(up.session).unavailable(self._what())
                elif self.unready:
                    await self._signal.wait()
                else:
                    return up
        raise Unavailable(
            self._what(),
            cause=f"exchange and queues have not been set up within {PATIENCE:g} s",
            fix="send it again; see what the Broker and its Triggers say",
        )

    async def _stays_blocked(self, session: Session) -> bool:
        with anyio.move_on_after(GRACE):
            while session.publishing.blocked and self._link.session is session:
                await self._signal.wait()
            return False
        return True

    async def _serve(self, session: Session) -> None:
        """Set it up, and let events go to it until something is lost or different."""
        self._stale = False
        if session is not self._last:
            # It may take other sizes since it was started again.
            self._last, self._largest = session, None
        await self.leftovers.delete(session, self.backing.server)
        if self._doomed:
            return
        with anyio.fail_after(_SETTING_UP):
            await self._declare(session)
        async with session.publishing.channel(confirms=True) as channel:
            assert channel.number is not None
            channel.closing.add_done_callback(lambda _: self.look())
            publisher = Publisher(session.publishing, channel.number)
            self._trouble = None
            self.up = Up(session, publisher)
            self.look()
            try:
                await self._stay(session, channel, publisher)
            finally:
                self.up = None
                why = self._link.trouble or Trouble("the channel was closed", "send it again")
                if channel.is_closed and self._link.session is session:
                    why = self._learn(channel)
                publisher.close(why.unavailable(self._what()))
                self.look()

    async def _stay(self, session: Session, channel: AbstractChannel, publisher: Publisher) -> None:
        wire = session.publishing
        while self._link.session is session and not channel.is_closed:
            if self._stale or self._doomed:
                return
            if not wire.blocked:
                self._tell(None)
            elif await self._stays_blocked(session):
                publisher.give_up(_blocked(session).unavailable(self._what()))
                self._tell(_blocked(session))
            else:
                continue
            if self.leftovers:
                await self.leftovers.delete(session, self.backing.server)
                self.look()
                continue
            await self._signal.wait()

    async def _declare(self, session: Session) -> None:
        wire, backing = session.publishing, self.backing
        if not backing.is_source:
            async with wire.channel() as channel:
                await declaring.declare_exchange(channel, backing.exchange)
            await self._declare_dead_letters(session)
        elif backing.exchange and not backing.predeclared:
            made = await declaring.make_exchange_if_missing(wire, backing.exchange)
            self._made = self._made or made

    async def _declare_dead_letters(self, session: Session) -> None:
        """Those of a Broker; events are taken in also without a place for them."""
        wire, backing = session.publishing, self.backing
        dead = broker_dead_letters(self._owner, backing)
        if dead is None:
            return
        try:
            async with wire.channel() as channel:
                await declaring.declare_dead_letters(wire, channel, dead, backing.queue_type)
        except FAILURES as exc:
            if wire.connection.is_closed:
                raise
            trouble = complaints.of_setting_up(exc, dead.queue, backing.server)
            self.standings.dead_letters(False, "QueueFailure", trouble.message)
            return
        self.standings.dead_letters(True)

    def _learn(self, channel: AbstractChannel) -> Trouble:
        """Why the server has closed the channel on which events are published."""
        closing = channel.closing
        exc = None if closing.cancelled() else closing.exception()
        if exc is None:
            return Trouble("the channel was closed", "send it again")
        too_large = _TOO_LARGE.search(complaints.words_of(exc))
        if too_large is not None:
            self._largest = int(too_large[1])
        return complaints.of_setting_up(exc, self.backing.exchange, self.backing.server)

    def _tell_link(self) -> None:
        trouble = self._link.trouble
        if trouble is None:
            self.standings.resource(None)
        else:
            self._tell(trouble)

    def _tell(self, trouble: Trouble | None) -> None:
        if trouble is None:
            self.standings.resource(True)
        else:
            reason = "ExchangeCredentialsUnavailable" if trouble.credentials else "ExchangeFailure"
            self.standings.resource(False, reason, trouble.message)

    def _what(self) -> str:
        return f"{self._owner.kind} {self._owner.namespace}/{self._owner.name} takes no events now"


def _blocked(session: Session) -> Trouble:
    words = f"RabbitMQ takes no messages now: {session.publishing.blocked}"
    return Trouble(words, "give the server more memory or disk, or let the queues become shorter")
