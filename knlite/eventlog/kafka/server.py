"""One cluster as a run sees it: whether it answers, a connection for questions, and a producer.

All resources of the run that are kept there share it. When its connection breaks, it comes back by
itself (waits: ``backoff.py``).

The producer waits for all replicas that are in sync, sends at once, and tries again for some
seconds. It is not idempotent, as upstream's is not: the library would try an event for ever then,
and nobody could be told that it was not taken.

Source: Eventing data plane reference §9.2 (producer).
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, NoReturn, TypeVar

import anyio
from aiokafka import AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from knlite.clock import Clock
from knlite.errors import InvalidInput, Unavailable
from knlite.eventing.kafka.backing import KafkaServer
from knlite.eventing.kafka.codec import Written
from knlite.eventlog.backoff import wait_before
from knlite.eventlog.cancellation import only_our_cancellation
from knlite.eventlog.kafka.connecting import connecting, nothing_left_open
from knlite.eventlog.kafka.limit import Limit
from knlite.eventlog.kafka.problems import NO_ADMIN, Refused, Trouble, trouble_of, words
from knlite.eventlog.kafka.sticky import Sticky

LARGEST = 1_048_576
"""Bytes of a request: upstream's ``max.request.size``."""
BATCH = 262_144
"""Bytes that may go to a partition at once; a topic takes no more than about a megabyte."""
CONFIRMED = 8.0
"""Seconds in which the library must have an answer, and tries again."""
PATIENCE = 10.0
"""Seconds after which whoever sends is told that nobody confirms."""
GOODBYE = 3.0
"""Seconds that a client has to end in good order."""

_T = TypeVar("_T")

# What the library reports of connections is told by conditions; without a handler of its own it
# would go to standard error.
logging.getLogger("aiokafka").addHandler(logging.NullHandler())


class Server:
    """One cluster; ``run`` keeps it connected."""

    def __init__(self, server: KafkaServer, clock: Clock, draw: random.Random) -> None:
        self.server = server
        self.trouble: Trouble | None = None
        """Why it is lost; None: it answers, or nobody has tried yet."""
        self.scope = anyio.CancelScope()
        self._clock = clock
        self._draw = draw
        self._client: AIOKafkaClient | None = None
        """While it answers."""
        self._producer: AIOKafkaProducer | None = None
        self._broken = anyio.Event()
        self._changed = anyio.Event()
        self._watchers: dict[Callable[[], None], None] = {}
        self.leaving: dict[str, anyio.Event] = {}
        """Topics and groups that are being deleted; set when they are gone."""
        self._limit = Limit(PATIENCE)
        self._sticky = Sticky(clock.now, draw)
        self._nodes: frozenset[tuple[str, int]] = frozenset()

    @property
    def address(self) -> str:
        return ",".join(self.server.bootstrap)

    @property
    def connected(self) -> bool:
        return self._client is not None

    def watch(self, changed: Callable[[], None]) -> None:
        """Call *changed* when it is lost, and when it answers again."""
        self._watchers[changed] = None

    def unwatch(self, changed: Callable[[], None]) -> None:
        """Do not call it any more."""
        self._watchers.pop(changed, None)

    async def run(self) -> None:
        """Be connected until cancelled."""
        with self.scope:
            try:
                while True:
                    client = await self._connected()
                    try:
                        self._answers(client)
                        await self._broken.wait()
                    finally:
                        self._client = None
                        self._tell()
                        await ended(client.close)
            finally:
                if self._producer is not None:
                    await ended(self._producer.stop)

    async def ask(self, question: Callable[[AIOKafkaClient], Awaitable[_T]]) -> _T:
        """The answer to *question*, as soon as the server gives one, however long that takes.

        Raises ``Refused``.
        """
        failures = 0
        while True:
            client = await self.reached()
            try:
                return await question(client)
            except (KafkaError, OSError):
                await self._pause(failures)
                failures += 1

    def lost(self) -> Unavailable | None:
        """What to tell who needs it now; None: it answers."""
        if self._client is not None:
            return None
        trouble = self.trouble or Trouble(NO_ADMIN, "knlite is still connecting", "")
        what = f"Kafka at {self.address} does not answer"
        return Unavailable(what, cause=trouble.cause, fix=trouble.fix)

    async def reached(self) -> AIOKafkaClient:
        """As soon as there is one."""
        while self._client is None:
            await self._changed.wait()
        return self._client

    async def until_known(self) -> None:
        """Return when somebody has found out whether it answers."""
        while self._client is None and self.trouble is None:
            await self._changed.wait()

    async def produce(self, topic: str, written: Written) -> None:
        """Return when *written* is kept by all replicas in sync.

        Raises ``Unavailable``, ``InvalidInput``.
        """
        lost = self.lost()
        if lost is not None:
            raise lost
        producer = self._producer
        assert producer is not None
        try:
            if written.value is not None or written.key is not None:
                kept = await producer.send(
                    topic, written.value, written.key, headers=written.headers
                )
            else:
                kept = await self._produce_nothing(producer, topic, written)
            await self._limit.wait(kept)
        except MessageSizeTooLargeError as exc:
            raise InvalidInput(
                "the event is larger than Kafka takes",
                cause=words(exc),
                fix=f"a request may have {LARGEST} bytes, and a topic may set max.message.bytes",
            ) from exc
        except (KafkaError, OSError) as exc:
            trouble = trouble_of(exc, NO_ADMIN, self.server)
            what = f"Kafka at {self.address} has not confirmed the event"
            raise Unavailable(what, cause=trouble.cause, fix=trouble.fix) from exc

    def forget_topic(self, topic: str) -> None:
        """Ask for it no more: a server that creates what is asked for would have it back."""
        if self._producer is not None:
            client = self._producer.client
            client.set_topics(client._topics - {topic})

    async def _produce_nothing(
        self, producer: AIOKafkaProducer, topic: str, written: Written
    ) -> "asyncio.Future[Any]":
        """A record without key and value, which the library takes in a batch only."""
        partitions = sorted(await producer.partitions_for(topic))
        batch = producer.create_batch()
        batch.append(key=None, value=None, timestamp=None, headers=written.headers)
        batch.close()
        partition = self._sticky(None, partitions, partitions)
        kept: asyncio.Future[Any] = await producer.send_batch(batch, topic, partition=partition)
        return kept

    async def _connected(self) -> AIOKafkaClient:
        """A client, however long that takes."""
        failures = 0
        while True:
            try:
                return await self._connect()
            except Refused as exc:
                self._lost(exc.trouble)
                await self._pause(failures)
                failures += 1

    async def _connect(self) -> AIOKafkaClient:
        """A client that is connected to somebody. Raises ``Refused``."""
        arguments = connecting(self.server)
        limits = {"request_timeout_ms": int(CONFIRMED * 1000)}
        try:
            client = AIOKafkaClient(**arguments, **limits, connections_max_idle_ms=None)
        except ValueError as exc:
            raise Refused(trouble_of(exc, NO_ADMIN, self.server)) from exc
        try:
            with nothing_left_open():
                await client.bootstrap()
            nodes = frozenset((each.host, each.port) for each in client.cluster.brokers())
            if not await client.ready(client.get_random_node()):
                _refuse(await self._why(dict(arguments), nodes))
            if self._producer is None or nodes != self._nodes:
                await self._produce_to(nodes, {**arguments, **limits})
        except Refused:
            await ended(client.close)
            raise
        except Exception as exc:
            await ended(client.close)
            trouble = await self._why(dict(arguments), None)
            raise Refused(trouble) from exc
        except BaseException:
            await ended(client.close)
            raise
        broken = self._broken = anyio.Event()
        closed = client._on_connection_closed

        def on_closed(connection: object, reason: object) -> None:
            closed(connection, reason)
            broken.set()

        client._on_connection_closed = on_closed
        for connection in client._conns.values():
            connection._on_close_cb = on_closed
            if not connection.connected():
                broken.set()
        return client

    async def _produce_to(
        self, nodes: frozenset[tuple[str, int]], arguments: dict[str, Any]
    ) -> None:
        """A producer that knows these brokers; the library's finds no others than it knew."""
        before, self._producer = self._producer, None
        if before is not None:
            await ended(before.stop)
        producer = AIOKafkaProducer(
            **arguments,
            acks="all",
            max_request_size=LARGEST,
            max_batch_size=BATCH,
            partitioner=self._sticky,
        )
        try:
            with nothing_left_open():
                await producer.start()
        except BaseException:
            await ended(producer.stop)
            raise
        self._producer, self._nodes = producer, nodes

    async def _why(
        self, arguments: dict[str, Any], nodes: frozenset[tuple[str, int]] | None
    ) -> Trouble:
        """Why there is no connection; the library's client keeps that to its log.

        *nodes* are the addresses that the server itself has named, if it was met.
        """
        arguments.pop("bootstrap_servers")
        addresses = nodes or [_split(address) for address in self.server.bootstrap]
        where = ",".join(f"{host}:{port}" for host, port in addresses)
        # What is asked in plain where TLS or a login is wanted gets no answer.
        fix = f"see whether it is a Kafka that takes protocol {self.server.protocol}"
        trouble = Trouble(NO_ADMIN, f"{where}: connected, and got no answer", fix)
        for host, port in addresses:
            try:
                limit = int(CONFIRMED * 1000)
                connection = await create_conn(host, port, request_timeout_ms=limit, **arguments)
            except Exception as exc:  # noqa: BLE001  who answers there may be anything
                found = trouble_of(exc, NO_ADMIN, self.server)
                trouble = Trouble(NO_ADMIN, f"{host}:{port}: {found.cause}", found.fix)
            else:
                connection.close()
        return trouble

    def _answers(self, client: AIOKafkaClient) -> None:
        self._client, self.trouble = client, None
        self._tell()

    def _lost(self, trouble: Trouble) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
        for changed in tuple(self._watchers):
            changed()

    async def _pause(self, failures: int) -> None:
        await self._clock.sleep_until(self._clock.now() + wait_before(failures, self._draw))


def _refuse(trouble: Trouble) -> NoReturn:
    raise Refused(trouble)


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.strip().rpartition(":")
    return (host.strip("[]"), int(port)) if host and port.isdecimal() else (address, 9092)


async def ended(end: Callable[[], Awaitable[None]]) -> None:
    """Wait until a client has ended, also when the whole run does, but not for ever."""
    with (
        anyio.move_on_after(GOODBYE, shield=True),
        # Whatever it says: there is nothing more to be wanted of it.
        suppress(Exception),
        # It waits for tasks that it has just canceled.
        only_our_cancellation(),
    ):
        await end()
