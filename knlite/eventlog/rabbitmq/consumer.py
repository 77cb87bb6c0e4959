"""One queue that is read: its channel, which is opened again whenever it is closed.

Not here: which messages are in our hands (``hand.py``), what a message says (``codec.py``).
"""

import random
from collections.abc import Hashable
from typing import Protocol

import anyio
from aiormq.abc import AbstractChannel

from knlite.clock import Clock
from knlite.eventing.cloudevent import CloudEvent, Malformed
from knlite.eventing.extensions import arriving_ttl
from knlite.eventing.rabbitmq import codec
from knlite.eventing.rabbitmq.codec import Beside, Message, Origin
from knlite.eventlog.backoff import wait_before
from knlite.eventlog.cancellation import only_our_cancellation
from knlite.eventlog.port import Record
from knlite.eventlog.rabbitmq import declaring, frames
from knlite.eventlog.rabbitmq.acks import Acks
from knlite.eventlog.rabbitmq.cursor import Entry, RabbitmqCursor
from knlite.eventlog.rabbitmq.hand import Hand
from knlite.eventlog.rabbitmq.link import Session, Signal
from knlite.eventlog.rabbitmq.plans import Plan
from knlite.eventlog.rabbitmq.wire import Wire
from knlite.eventlog.recent import Recent

SETTING_UP = 60.0
"""Seconds for a queue, which others may be declared before."""
_CONSUMING = 10.0
"""Seconds for an answer that needs nothing but the queue itself."""
_LASTED = 10.0
"""Seconds after which a channel that is closed counts as one that worked: the server closes those
on which nothing is acknowledged for half an hour."""


class Events(Protocol):
    """Whose events they are."""

    @property
    def run(self) -> str:
        """The id of this run, which events carry that it has taken in."""
        ...

    @property
    def origin(self) -> Origin: ...

    @property
    def recent(self) -> Recent:
        """What may be known of events of this run."""
        ...

    def session(self) -> Session | None:
        """While all is there that the queue needs."""
        ...

    def plan(self) -> Plan: ...

    def cursor(self, beside: Beside) -> RabbitmqCursor | None:
        """For whom an event is; None: nobody reads it any more."""
        ...

    def cursors(self) -> tuple[RabbitmqCursor, ...]: ...

    def wanted(self, event: CloudEvent, beside: Beside) -> bool:
        """Whether the filter passes, as far as the binding has not decided."""
        ...

    def set_up(self) -> None:
        """The queue is there, and bound."""
        ...

    def failed(self, exc: BaseException) -> None:
        """It cannot be."""
        ...

    def dropped(self, why: str) -> None:
        """A message could not be read, and is gone."""
        ...


class Consumer:
    """Implements ``wire.Messages`` and ``cursor.Giver``."""

    def __init__(self, events: Events, clock: Clock, draw: random.Random) -> None:
        self.scope = anyio.CancelScope()
        self._events = events
        self._clock = clock
        self._draw = draw
        self._stamp = frames.stamp((codec.RUN, events.run), codec.ARRIVAL)
        """How headers of messages of this run begin."""
        self._signal = Signal()
        self._hand = Hand()
        self._acks: Acks | None = None
        """Of the channel that is open."""
        self._where = ""
        self._foreign = Origin("")
        """What is made of messages that are no events."""
        self._stale = False
        """The plan has changed."""
        self._bound: dict[str, Plan] = {}
        """What this run has bound, by exchange, so that it can be taken back."""

    def look(self) -> None:
        """Something has changed that it waits for."""
        self._signal.tell()

    def replan(self) -> None:
        """The plan is another one now."""
        self._stale = True
        self._signal.tell()

    async def run(self) -> None:
        """Read until cancelled."""
        with self.scope:
            failures = 0
            while True:
                session = self._events.session()
                if session is None:
                    await self._signal.wait()
                    continue
                began = self._clock.now()
                try:
                    with only_our_cancellation():
                        await self._read(session)
                except Exception as exc:  # noqa: BLE001  what nobody has thought of stops only this
                    if self._events.session() is session:
                        self._events.failed(exc)
                if self._stale or self._events.session() is not session:
                    continue
                failures = 0 if self._clock.now() - began > _LASTED else failures + 1
                # A plan that changes in the meantime may be the remedy.
                with anyio.move_on_after(wait_before(failures, self._draw)):
                    while not self._stale:
                        await self._signal.wait()

    def message(self, delivery: frames.Delivery, properties: bytes, body: bytes) -> None:
        try:
            arrival = frames.stamped(properties, self._stamp)
            first = arrival and not delivery.redelivered
            record = self._events.recent.read(arrival) if first else None
            if record is not None:
                self._give(delivery, record)
            else:
                self._receive(delivery, frames.properties(properties), body)
        except frames.Unreadable as exc:
            self._drop(delivery.tag, str(exc))
        except Exception as exc:  # noqa: BLE001  one message must not end the connection
            self._drop(delivery.tag, f"knlite has a bug that it has met: {exc!r}")

    def finished(self, entry: Entry) -> None:
        tag = entry.tag
        if self._hand.release(entry):
            self._settle(entry, tag)

    def _give(self, delivery: frames.Delivery, record: Record) -> None:
        """A message has come that this run has written just now."""
        run, tag = self._events.run, delivery.tag
        key = (run, record.arrival, "")
        beside = Beside(record.arrival, run=run, only=record.only)
        known = self._hand.known(key, tag)
        if known is not None:
            if known.done:
                self._settle(known, tag)
        elif not record.only and not self._events.wanted(record.event, beside):
            self._ack(tag)
        elif (cursor := self._events.cursor(beside)) is not None:
            entry = Entry(self, key, record, "", again=False)
            self._hand.hold(entry, tag)
            cursor.put(entry)

    def _receive(self, delivery: frames.Delivery, found: frames.Properties, body: bytes) -> None:
        tag = delivery.tag
        beside = codec.beside(found.headers)
        identity = found.message_id
        origin = self._foreign
        if origin.convert and not identity:
            identity = f"{self._draw.getrandbits(128):032x}"
        message = Message(found.headers, body, found.content_type, identity, found.timestamp)
        event = codec.read(message, origin)
        if isinstance(event, Malformed):
            self._drop(tag, event.why)
            return
        ours = beside.arrival > 0 and beside.run != ""
        key: Hashable = (
            (beside.run, beside.arrival, beside.reader) if ours else (event.source, event.id)
        )
        if ours and delivery.redelivered and self._hand.is_settled(key):
            self._ack(tag)
            return
        if ours or delivery.redelivered:
            known = self._hand.known(key, tag)
            if known is not None:
                if known.done:
                    self._settle(known, tag)
                return
        if not beside.only and not self._events.wanted(event, beside):
            self._ack(tag)
            return
        cursor = self._events.cursor(beside)
        if cursor is None:
            if self._acks is not None:
                self._acks.leave()
            return
        ttl = beside.ttl if beside.ttl is not None else arriving_ttl(event)
        if not ours and ttl == 0:
            self._drop(tag, f"event {event.id} has no time to live left")
            return
        record = Record(event, ttl, beside.headers, beside.arrival, beside.only, beside.replay_of)
        where = "" if ours else self._origin(delivery)
        again = beside.run != self._events.run if ours else delivery.redelivered
        entry = Entry(self, key, record, where, again=again)
        self._hand.hold(entry, tag)
        cursor.put(entry)

    async def _read(self, session: Session) -> None:
        """Read from the queue until the channel is closed, or there is something else to read."""
        wire = session.consuming
        self._stale = False
        self._foreign = self._events.origin
        plan = self._events.plan()
        self._hand.most = plan.prefetch
        async with wire.channel() as channel:
            number = channel.number
            assert number is not None
            wire.messages_to(number, self)
            self._acks = Acks(wire, number, self._hand)
            try:
                with anyio.fail_after(SETTING_UP):
                    await self._open(wire, channel, plan)
                self._events.set_up()
                while (
                    self._events.session() is session
                    and not channel.is_closed
                    and not self._stale
                    and self._where
                ):
                    await self._signal.wait()
            finally:
                self._lose(wire, number)

    async def _open(self, wire: Wire, channel: AbstractChannel, plan: Plan) -> None:
        await declaring.declare(wire, channel, plan)
        if plan.exchange:
            before = self._bound.get(plan.exchange)
            if before is not None and before.arguments != plan.arguments:
                # After the new one is there: what both take must not be missed.
                await declaring.unbind(channel, before)
            self._bound[plan.exchange] = plan
        closing = channel.closing
        closing.add_done_callback(lambda _: self._signal.tell())
        channel.on_consumer_cancel_callbacks.add(self._canceled)
        self._where = plan.queue
        # A quorum queue without a leader does not answer, and forgets that it was asked.
        with anyio.fail_after(_CONSUMING):
            await channel.basic_qos(prefetch_count=plan.prefetch)
            await channel.basic_consume(plan.queue, _never)

    def _canceled(self, _: object) -> None:
        """Somebody has deleted the queue."""
        self._where = ""
        self._signal.tell()

    def _lose(self, wire: Wire, channel: int) -> None:
        wire.forget(channel, self)
        if self._acks is not None:
            self._acks.flush()
        self._acks = None
        self._hand.lose()
        for cursor in self._events.cursors():
            cursor.drop(self)

    def _settle(self, entry: Entry, tag: int) -> None:
        if entry.failed:
            self._reject(tag)
        else:
            self._ack(tag)
        if not entry.origin:
            # Others may give two messages the same name.
            self._hand.settle(entry.key)

    def _ack(self, tag: int) -> None:
        if self._acks is not None:
            self._acks.done(tag)

    def _reject(self, tag: int) -> None:
        """A queue of others may say where such messages go; one of ours says nothing."""
        if not self._foreign.convert:
            self._ack(tag)
        elif self._acks is not None:
            self._acks.reject(tag)

    def _drop(self, tag: int, why: str) -> None:
        self._reject(tag)
        self._events.dropped(why)

    def _origin(self, delivery: frames.Delivery) -> str:
        if delivery.exchange:
            return f"message of exchange {delivery.exchange}"
        return f"message of queue {self._where}"


async def _never(_: object) -> None:
    """Messages pass by the library."""
