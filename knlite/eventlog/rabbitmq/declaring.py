"""Asks a server for exchanges, queues and bindings.

Each failure closes the channel on which it was asked; who asks opens another.
"""

import re
from collections.abc import Awaitable, Callable

from aiormq.abc import AbstractChannel
from aiormq.exceptions import ChannelNotFoundEntity
from pamqp.common import FieldTable

from knlite.eventing.rabbitmq import bindings
from knlite.eventing.rabbitmq.backing import QueueType
from knlite.eventing.rabbitmq.codec import SHORT
from knlite.eventlog.rabbitmq import frames
from knlite.eventlog.rabbitmq.plans import DeadLetters, Plan
from knlite.eventlog.rabbitmq.wire import Wire

_NAME = re.compile(r"[a-zA-Z0-9_.:@#,/+ -]*")
"""Of exchanges and queues, for the library (pamqp); the protocol itself allows fewer characters."""

Ask = Callable[[AbstractChannel, str], Awaitable[None]]
"""Something that is asked about one name."""


async def declare_exchange(channel: AbstractChannel, exchange: str) -> None:
    """One of ours. Raises ``FAILURES``, as all here do."""
    await channel.exchange_declare(
        _name(exchange), exchange_type=bindings.EXCHANGE_TYPE, durable=True
    )


async def declare_queue(wire: Wire, channel: AbstractChannel, queue: str, kind: QueueType) -> None:
    """One of ours."""
    arguments: FieldTable = {"x-queue-type": kind}
    if kind == "quorum" and _limits_deliveries(wire):
        # An event that waits for its subscriber comes back each time a connection is lost.
        arguments["x-delivery-limit"] = -1
    await channel.queue_declare(_name(queue), durable=True, arguments=arguments)


async def declare_dead_letters(
    wire: Wire, channel: AbstractChannel, dead: DeadLetters, kind: QueueType
) -> None:
    """Exchange, queue and what binds them."""
    await declare_exchange(channel, dead.exchange)
    await declare_queue(wire, channel, dead.queue, kind)
    arguments = bindings.dead_letter_binding(dead.whose)
    await channel.queue_bind(dead.queue, dead.exchange, arguments=dict(arguments))


async def declare(wire: Wire, channel: AbstractChannel, plan: Plan) -> None:
    """The queue of *plan*, with what it needs; its exchange is there."""
    if plan.predeclared:
        await channel.queue_declare(_name(plan.queue), passive=True)
        return
    if plan.dead_letters is not None:
        await declare_dead_letters(wire, channel, plan.dead_letters, plan.queue_type)
    await declare_queue(wire, channel, plan.queue, plan.queue_type)
    if plan.exchange:
        await bind(channel, plan)


async def bind(channel: AbstractChannel, plan: Plan) -> None:
    """Let messages go into the queue of *plan*."""
    await channel.queue_bind(
        plan.queue, plan.exchange, plan.routing_key, arguments=dict(plan.arguments)
    )


async def unbind(channel: AbstractChannel, plan: Plan) -> None:
    """The opposite."""
    await channel.queue_unbind(
        plan.queue, plan.exchange, plan.routing_key, arguments=dict(plan.arguments)
    )


async def make_exchange_if_missing(wire: Wire, exchange: str) -> bool:
    """For a source: whoever publishes there may have made it, of any type. True: we have."""
    try:
        async with wire.channel() as channel:
            await channel.exchange_declare(_name(exchange), passive=True)
    except ChannelNotFoundEntity:
        async with wire.channel() as channel:
            await declare_exchange(channel, exchange)
        return True
    return False


async def delete_queue(channel: AbstractChannel, queue: str) -> None:
    """With what is in it; one that is not there is no matter."""
    await channel.queue_delete(_name(queue))


async def delete_exchange(channel: AbstractChannel, exchange: str) -> None:
    """One that is not there is no matter."""
    await channel.exchange_delete(_name(exchange))


def _name(text: str) -> str:
    """*text*, if the protocol has room for it; the library fails in several ways if not."""
    if len(text.encode()) > SHORT:
        raise frames.TooLong("the name is too long")
    if _NAME.fullmatch(text) is None:
        raise frames.Unspeakable("the name has other characters than client libraries take")
    return text


def _limits_deliveries(wire: Wire) -> bool:
    """Whether quorum queues drop what was handed out 20 times, as they do since RabbitMQ 4."""
    version = str(wire.connection.server_properties.get("version", ""))
    major = version.partition(".")[0]
    return major.isdigit() and int(major) >= 4
