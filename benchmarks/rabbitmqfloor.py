"""RabbitMQ alone, by the client library that knlite uses: what its Brokers are compared with.

The same promises as those of a Broker on RabbitMQ: durable quorum queues behind a headers exchange,
persistent messages, each published by one who waits for its confirmation; each message is
acknowledged when it is done.
"""

import time
from functools import partial
from typing import Self

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from benchmarks.subscriber import Seen

PREFETCH = 100
"""As many as a trigger has on their way, unless it says otherwise."""


class Floor:
    """One connection for publishing, one for consuming; *triggers* queues that all get all."""

    def __init__(self, address: str, name: str, triggers: int) -> None:
        self._address = address
        self._name = name
        self._queues = [f"{name}.{number}" for number in range(triggers)]
        self._consuming: aio_pika.abc.AbstractChannel | None = None
        self._connections: list[aio_pika.abc.AbstractConnection] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in self._connections:
            await connection.close()

    async def layout(self) -> None:
        """Make the exchange and the queues."""
        channel = await self._channel()
        exchange = await channel.declare_exchange(self._name, "headers", durable=True)
        for name in self._queues:
            quorum = {"x-queue-type": "quorum"}
            queue = await channel.declare_queue(name, durable=True, arguments=quorum)
            await queue.bind(exchange, "", arguments={"x-match": "all", "type": "wanted"})

    async def clear(self) -> None:
        """Delete them."""
        channel = await self._channel()
        for name in self._queues:
            await channel.queue_delete(name)
        await channel.exchange_delete(self._name)

    async def publish(self) -> None:
        """Be ready to publish."""
        channel = await self._channel()
        self._exchange = await channel.get_exchange(self._name, ensure=False)

    async def one(self, body: bytes, name: str, due: int) -> None:
        """Publish one event; returns when the server has it."""
        message = aio_pika.Message(
            body,
            headers={
                "specversion": "1.0",
                "type": "wanted",
                "source": "/benchmark",
                "id": name,
                "time": "2026-01-01T00:00:00Z",
                "sent": str(due),
            },
            content_type="application/octet-stream",
            message_id=name,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        await self._exchange.publish(message, "", mandatory=False)

    async def stop(self) -> None:
        """Consume no more."""
        if self._consuming is not None:
            await self._consuming.close()

    async def consume(self, seen: Seen) -> None:
        """Note all that comes from now on in *seen*."""
        channel = self._consuming = await self._channel()
        await channel.set_qos(PREFETCH)
        for name in self._queues:
            queue = await channel.get_queue(name, ensure=False)
            await queue.consume(partial(_taken, seen))

    async def _channel(self) -> aio_pika.abc.AbstractChannel:
        connection = await aio_pika.connect(self._address)
        self._connections.append(connection)
        return await connection.channel()


async def _taken(seen: Seen, message: AbstractIncomingMessage) -> None:
    sent = message.headers["sent"]
    seen.note(int(sent) if isinstance(sent, str) else time.monotonic_ns())
    await message.ack()
