"""Where the log of a resource is: its server, and its topics, which are made if they may be.

Source: Eventing data plane reference §9.2; Eventing reference §17 (reasons).
"""

from collections.abc import Callable, Mapping
from contextlib import suppress

import anyio
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, LeaderNotAvailableError

from knlite.eventing.kafka.backing import KafkaBacking
from knlite.eventlog.kafka import questions
from knlite.eventlog.kafka.decoder import Decoder
from knlite.eventlog.kafka.problems import NOT_PRESENT, Refused, Trouble, trouble_of
from knlite.eventlog.kafka.questions import Leaders
from knlite.eventlog.kafka.server import Server
from knlite.eventlog.kafka.surroundings import Surroundings

UNSEEN_WITHIN = 5.0
"""Seconds that a broker may take to hear of a deletion."""
UNSEEN_RETRY = 0.02


class Place:
    """Made anew when the backing of the resource changes."""

    def __init__(
        self, backing: KafkaBacking, server: Server, decoder: Decoder, around: Surroundings
    ) -> None:
        self.backing = backing
        self.server = server
        self.decoder = decoder
        self.topics: Mapping[str, Leaders] = {}
        """Once they are found."""
        self.created = False
        """The topic is one that this run has made: nobody has written to it before."""
        self.trouble: Trouble | None = None
        """Why it cannot be used."""
        self.scope = anyio.CancelScope()
        self._around = around
        self._found = anyio.Event()

    @property
    def found(self) -> bool:
        return self._found.is_set()

    async def until_found(self) -> None:
        """Return when the topics are known."""
        await self._found.wait()

    async def find(self, changed: Callable[[], None]) -> None:
        """Find or make the topics, however long that takes; *changed* is called when there is
        trouble, and when they are found."""
        failures = 0
        with self.scope:
            while True:
                trouble = await self._try_to_find()
                if trouble is None:
                    break
                self.trouble = trouble
                changed()
                await self._around.pause(failures)
                failures += 1
            self.trouble = None
            self._found.set()
            changed()

    def find_again(self, changed: Callable[[], None], replaced: Callable[[], None]) -> None:
        """Somebody says that they are gone; *replaced* is called when there are others."""
        if not self._found.is_set() or self.scope.cancel_called:
            return
        self._found, self.scope = anyio.Event(), anyio.CancelScope()
        self.created = False

        async def find() -> None:
            await self.find(changed)
            if self.created:
                replaced()

        self._around.start(find)

    def leave(self) -> None:
        """Nobody needs the topics any more: those of ours are deleted."""
        self.scope.cancel()
        if not self.backing.external:
            for topic in self.backing.topics:
                self.server.leaving[topic_key(topic)] = anyio.Event()
            self._around.start(self._delete)

    async def _try_to_find(self) -> Trouble | None:
        try:
            self.topics = {topic: await self._find(topic) for topic in self.backing.topics}
        except Refused as exc:
            return exc.trouble
        except Exception as exc:  # noqa: BLE001  a name that nobody has thought of stops only this
            return trouble_of(exc, NOT_PRESENT, self.backing.server)
        return None

    async def _find(self, topic: str) -> Leaders:
        backing = self.backing
        await gone(self.server, topic_key(topic))

        async def find(client: AIOKafkaClient) -> Leaders:
            there = await questions.leaders(client, backing.server, topic)
            if there is not None:
                return there
            if backing.external:
                said = f"UnknownTopicOrPartition: there is no topic {topic}"
                fix = "create the topic, or correct its name"
                raise Refused(Trouble(NOT_PRESENT, said, fix))
            self.created |= await questions.create(client, backing, topic)
            made = await questions.leaders(client, backing.server, topic)
            if made is None:
                raise KafkaError("the topic is not to be seen yet")
            return made

        return await self.server.ask(find)

    async def _delete(self) -> None:
        server, backing = self.server, self.backing
        for topic in backing.topics:
            server.forget_topic(topic)

            async def delete(client: AIOKafkaClient, topic: str = topic) -> None:
                await questions.delete(client, backing.server, topic)
                await self._until_unseen(client, topic)

            try:
                await server.ask(delete)
            except Refused as exc:
                self._around.complain(f"topic {topic} was not deleted\n  cause: {exc.cause}")
            except Exception as exc:  # noqa: BLE001  as above
                self._around.complain(f"topic {topic} was not deleted\n  cause: {exc}")
            finally:
                left(server, topic_key(topic))

    async def _until_unseen(self, client: AIOKafkaClient, topic: str) -> None:
        """Return when the broker has heard that *topic* is deleted, a moment after it said so.

        Until then it would take events for it, which go with it.
        """
        clock = self._around.clock
        deadline = clock.now() + UNSEEN_WITHIN
        while clock.now() < deadline:
            with suppress(LeaderNotAvailableError):  # On its way out.
                if await questions.leaders(client, self.backing.server, topic) is None:
                    return
            await clock.sleep_until(clock.now() + UNSEEN_RETRY)


def topic_key(topic: str) -> str:
    """As what a topic is in ``Server.leaving``."""
    return f"topic {topic}"


def group_key(group: str) -> str:
    """As what a group is there."""
    return f"group {group}"


async def gone(server: Server, key: str) -> None:
    """Return when nobody is about to delete it."""
    while (leaving := server.leaving.get(key)) is not None:
        await leaving.wait()


def left(server: Server, key: str) -> None:
    """It is deleted."""
    leaving = server.leaving.pop(key, None)
    if leaving is not None:
        leaving.set()
