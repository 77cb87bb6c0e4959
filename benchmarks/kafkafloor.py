"""Kafka alone, by the client library that knlite uses: what its Brokers are compared with.

The same promises as those of a Broker on Kafka: a topic of ten partitions, each record sent by one
who waits until all replicas that there are have it; offsets are committed by hand, after the
records, at most every five seconds.
"""

import asyncio
import time
from typing import Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from benchmarks.subscriber import Seen

PARTITIONS = 10
COMMITS = 5.0
"""Seconds between them."""


class Floor:
    """One producer; *triggers* consumer groups of one consumer each, that all get all."""

    def __init__(self, address: str, name: str, triggers: int) -> None:
        self._address = address
        self._name = name
        self._triggers = triggers
        self._producer: AIOKafkaProducer | None = None
        self._consumers = list[AIOKafkaConsumer]()
        self._tasks = list[asyncio.Task[None]]()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        if self._producer is not None:
            await self._producer.stop()

    async def stop(self) -> None:
        """Consume no more."""
        for task in self._tasks:
            task.cancel()
        for consumer in self._consumers:
            await consumer.stop()
        self._consumers.clear()

    async def layout(self) -> None:
        """Make the topic."""
        await self._administer(create=True)

    async def clear(self) -> None:
        """Delete it."""
        await self._administer(create=False)

    async def publish(self) -> None:
        """Be ready to publish."""
        self._producer = AIOKafkaProducer(bootstrap_servers=self._address, acks="all")
        await self._producer.start()

    async def one(self, body: bytes, name: str, due: int) -> None:
        """Publish one event; returns when the server has it."""
        assert self._producer is not None
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_type", b"wanted"),
            ("ce_source", b"/benchmark"),
            ("ce_id", name.encode()),
            ("ce_time", b"2026-01-01T00:00:00Z"),
            ("ce_sent", b"%d" % due),
            ("content-type", b"application/octet-stream"),
        ]
        await self._producer.send_and_wait(self._name, body, headers=headers)

    async def consume(self, seen: Seen) -> None:
        """Note all that comes from now on in *seen*."""
        for number in range(self._triggers):
            consumer = AIOKafkaConsumer(
                self._name,
                bootstrap_servers=self._address,
                group_id=f"{self._name}.{number}",
                enable_auto_commit=False,
                auto_offset_reset="earliest",
            )
            await consumer.start()
            self._consumers.append(consumer)
            self._tasks.append(asyncio.create_task(_consume(consumer, seen)))

    async def _administer(self, *, create: bool) -> None:
        client = AIOKafkaAdminClient(bootstrap_servers=self._address)
        await client.start()
        try:
            if create:
                await client.create_topics([NewTopic(self._name, PARTITIONS, 1)])
            else:
                await client.delete_topics([self._name])
        finally:
            await client.close()


async def _consume(consumer: AIOKafkaConsumer, seen: Seen) -> None:
    committed = time.monotonic()
    while True:
        batches = await consumer.getmany(timeout_ms=5000)
        for records in batches.values():
            for record in records:
                headers = dict(record.headers)
                seen.note(int(headers["ce_sent"]))
        if batches and time.monotonic() > committed + COMMITS:
            await consumer.commit()
            committed = time.monotonic()
