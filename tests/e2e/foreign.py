"""Clients of RabbitMQ and Kafka that know nothing of knlite: what others on the server see and do.

Blocking, for tests; each has an event loop in a thread of its own.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aio_pika
import aiokafka
import aiormq
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.protocol.admin import CreateAclsRequest
from anyio import fail_after
from anyio.from_thread import BlockingPortal, start_blocking_portal

from tests.e2e.executable import PATIENCE

_LITERAL = _ALLOW = 3
"""``PatternType`` and ``AclPermissionType``."""


class Kafka:
    """Another user of a Kafka."""

    def __init__(self, portal: BlockingPortal, address: str, **security: Any) -> None:
        self._portal = portal
        self._options = {"bootstrap_servers": address, **security}

    def write(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
        partition: int | None = None,
    ) -> tuple[int, int]:
        """Write a record; returns its partition and offset."""

        async def write() -> tuple[int, int]:
            async with aiokafka.AIOKafkaProducer(**self._options) as producer:
                done = await producer.send_and_wait(
                    topic, value, key=key, headers=list(headers), partition=partition
                )
                return done.partition, done.offset

        return self._portal.call(write)

    def read(self, topic: str, count: int = 1) -> list[Any]:
        """The first records of a topic, by their time."""

        async def read() -> list[Any]:
            found: list[Any] = []
            consumer = aiokafka.AIOKafkaConsumer(
                topic, auto_offset_reset="earliest", enable_auto_commit=False, **self._options
            )
            async with consumer:
                with fail_after(PATIENCE):
                    while len(found) < count:
                        found.append(await consumer.getone())
            return sorted(found, key=lambda record: (record.timestamp, record.offset))

        return self._portal.call(read)

    def create(self, topic: str, partitions: int = 1) -> str:
        """Make a topic."""

        async def create() -> str:
            async with _admin(self._options) as admin:
                await admin.create_topics([NewTopic(topic, partitions, 1)])
            return topic

        return self._portal.call(create)

    def allow(self, user: str, *rights: tuple[int, str, int]) -> None:
        """Give *user* rights: a type of resource, its name, and an operation, as Kafka numbers
        them (``org.apache.kafka.common.resource.ResourceType``, ``…acl.AclOperation``)."""

        async def allow() -> None:
            async with _admin(self._options) as admin:
                for kind, name, operation in rights:
                    asked = CreateAclsRequest(
                        kind, name, _LITERAL, f"User:{user}", "*", operation, _ALLOW
                    )
                    # The client has this request and no method that sends it.
                    answer = await admin._send_to_controller(asked)
                    assert [each[0] for each in answer.creation_responses] == [0]

        self._portal.call(allow)

    def topics(self) -> dict[str, int]:
        """The topics with the number of their partitions, without Kafka's own."""

        async def topics() -> dict[str, int]:
            async with _admin(self._options) as admin:
                names = [name for name in await admin.list_topics() if not name.startswith("__")]
                found = await admin.describe_topics(names) if names else []
                return {each["topic"]: len(each["partitions"]) for each in found}

        return self._portal.call(topics)

    def groups(self) -> set[str]:
        """The names of the consumer groups."""

        async def groups() -> set[str]:
            async with _admin(self._options) as admin:
                return {group for group, _ in await admin.list_consumer_groups()}

        return self._portal.call(groups)

    def committed(self, group: str) -> dict[tuple[str, int], int]:
        """By topic and partition: the offset that a group goes on from."""

        async def committed() -> dict[tuple[str, int], int]:
            async with _admin(self._options) as admin:
                found = await admin.list_consumer_group_offsets(group)
            return {(at.topic, at.partition): offset.offset for at, offset in found.items()}

        return self._portal.call(committed)


@contextmanager
def kafka_at(address: str, **security: Any) -> Iterator[Kafka]:
    """A client of the Kafka there; *security* as aiokafka's."""
    with start_blocking_portal() as portal:
        yield Kafka(portal, address, **security)


@asynccontextmanager
async def _admin(options: Mapping[str, Any]) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(**options)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


class Rabbit:
    """Another user of a RabbitMQ, with a connection of its own for each thing that it does."""

    def __init__(self, portal: BlockingPortal, url: str) -> None:
        self._portal = portal
        self._url = url

    def publish(
        self,
        exchange: str,
        body: bytes,
        headers: Mapping[str, Any] | None = None,
        *,
        routing_key: str = "",
        **properties: Any,
    ) -> None:
        """Publish to an exchange, ``""`` for a queue by its name, and wait for the confirm."""

        async def publish() -> None:
            async with await aio_pika.connect(self._url) as connection:
                channel = await connection.channel()
                message = aio_pika.Message(body, headers=dict(headers or {}), **properties)
                found = (
                    await channel.get_exchange(exchange, ensure=False)
                    if exchange
                    else channel.default_exchange
                )
                await found.publish(message, routing_key, mandatory=False)

        self._portal.call(publish)

    def declare(
        self, queue: str, exchange: str = "", arguments: Mapping[str, Any] | None = None
    ) -> str:
        """A durable queue, bound to an exchange when one is named."""

        async def declare() -> str:
            async with await aio_pika.connect(self._url) as connection:
                channel = await connection.channel()
                made = await channel.declare_queue(queue, durable=True)
                if exchange:
                    await made.bind(exchange, "", arguments=dict(arguments or {}))
                return str(made.name)

        return self._portal.call(declare)

    def get(self, queue: str, count: int = 1) -> list[Any]:
        """The first messages of a queue, taken off it."""

        async def get() -> list[Any]:
            found: list[Any] = []
            async with await aio_pika.connect(self._url) as connection:
                channel = await connection.channel()
                source = await channel.get_queue(queue, ensure=False)
                async with source.iterator() as messages:
                    with fail_after(PATIENCE):
                        async for message in messages:
                            await message.ack()
                            found.append(message)
                            if len(found) == count:
                                break
            return found

        return self._portal.call(get)

    def depth(self, queue: str) -> int | None:
        """How many messages wait in a queue; None if there is no such queue."""

        async def depth() -> int | None:
            async with await aio_pika.connect(self._url) as connection:
                channel = await connection.channel()
                try:
                    found = await channel.declare_queue(queue, passive=True)
                except aiormq.exceptions.ChannelNotFoundEntity:
                    return None
                return found.declaration_result.message_count

        return self._portal.call(depth)

    def exchange(self, name: str) -> bool:
        """Whether there is such an exchange."""

        async def found() -> bool:
            async with await aio_pika.connect(self._url) as connection:
                channel = await connection.channel()
                try:
                    await channel.get_exchange(name, ensure=True)
                except aiormq.exceptions.ChannelNotFoundEntity:
                    return False
                return True

        return self._portal.call(found)

    def delete_queue(self, name: str) -> None:
        """Delete a queue, whatever is in it."""

        async def delete() -> None:
            async with await aio_pika.connect(self._url) as connection:
                channel = await connection.channel()
                await channel.queue_delete(name)

        self._portal.call(delete)


@contextmanager
def rabbit_at(url: str) -> Iterator[Rabbit]:
    """A client of the RabbitMQ there."""
    with start_blocking_portal() as portal:
        yield Rabbit(portal, url)
