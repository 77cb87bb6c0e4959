"""The log of one resource in Kafka: its topic, and a consumer group for each of its readers.

A topic that is ours is made when the resource appears, and a group begins at the end of the topic,
in the moment in which its reader is opened. That takes two questions; who appends in the meantime
waits for the answers, so that nobody misses an event that was accepted after it came to be.

Source: Eventing reference §17 (reasons of conditions); Eventing data plane reference §9.2, §7.
"""

from typing import Literal

import anyio
from aiokafka.errors import (
    LeaderNotAvailableError,
    NotLeaderForPartitionError,
    UnknownTopicOrPartitionError,
)

from knlite.errors import Unavailable
from knlite.eventing.kafka.backing import KafkaBacking
from knlite.eventing.kafka.codec import Beside, encode
from knlite.eventlog.kafka.decoder import Decoder, marked
from knlite.eventlog.kafka.place import Place
from knlite.eventlog.kafka.problems import NO_ADMIN
from knlite.eventlog.kafka.reading import Reading
from knlite.eventlog.kafka.server import PATIENCE, Server
from knlite.eventlog.kafka.surroundings import Surroundings
from knlite.eventlog.port import Cursor, Owner, Reader, Record
from knlite.eventlog.recent import Recent
from knlite.eventlog.standings import Standings
from knlite.facts import EventRefused

_NO_TOPIC = (UnknownTopicOrPartitionError, NotLeaderForPartitionError, LeaderNotAvailableError)
"""What the producer says in the end of a topic that is not there any more."""


class KafkaLog:
    """Implements ``port.EventLog``."""

    def __init__(self, owner: Owner, around: Surroundings) -> None:
        self.place: Place | None = None
        self._owner = owner
        self._around = around
        self._mark = marked(around.run, owner)
        self._recent = Recent()
        self._newest = 0
        """The highest arrival of what filters decide about."""
        self._readings: dict[str, Reading] = {}
        self._settled = False
        """Nobody has to be waited for."""
        self._changed = anyio.Event()
        self._standings = Standings(owner, around.publish, around.clock)

    def kept_at(self, backing: KafkaBacking, server: Server) -> None:
        """It is kept there from now on."""
        before = self.place
        bits = self._around.draw.getrandbits
        decoder = Decoder(self._mark, self._recent, backing, bits, self._discarded)
        self.place = Place(backing, server, decoder, self._around)
        elsewhere = False
        if before is not None:
            before.scope.cancel()
            before.server.unwatch(self._change)
            known = before.backing
            elsewhere = (known.topics, known.server.bootstrap) != (
                backing.topics,
                backing.server.bootstrap,
            )
        server.watch(self._change)
        for reading in self._readings.values():
            if elsewhere:
                reading.drop()
            reading.start(self.place)
        self._change()
        place = self.place
        self._around.start(lambda: place.find(self._change))

    async def append(self, record: Record) -> None:
        if not record.only:
            self._newest = max(self._newest, record.arrival)
        place = self.place
        if place is None:
            raise Unavailable("it is not known where its events are kept")
        if not self._settled:
            await self._until_settled(place)
        beside = Beside(
            self._mark,
            record.arrival,
            record.ttl,
            record.headers,
            tuple(record.only),
            record.replay_of,
        )
        backing = place.backing
        written = encode(record.event, beside, structured=backing.structured)
        self._recent.add(record, len(self._readings))
        try:
            await place.server.produce(backing.topics[0], written)
        except Unavailable as exc:
            if isinstance(exc.__cause__, _NO_TOPIC):
                place.find_again(self._change, self._read_anew)
                self._change()
            raise

    def open(self, reader: Reader, at: Literal["start", "end"]) -> Cursor:
        reading = self._readings.get(reader.uid)
        if reading is None:
            reading = Reading(reader, at, self._around, self._change)
            self._readings[reader.uid] = reading
        else:
            before, reading.reader = reading.reader, reader
            reading.cursor.read_as(reader, self._newest)
            if before.name == reader.name:
                return reading.cursor
            reading.drop()
        if self.place is not None:
            reading.start(self.place)
        self._change()
        return reading.cursor

    def dead_letters(self, reader: Reader) -> None:
        """Kafka has no place for them: they go from hand to hand."""

    def close(self, reader: str) -> None:
        reading = self._readings.pop(reader, None)
        if reading is None:
            return
        if self.place is not None:
            reading.forget(self.place.server)
        self._standings.forget(reader)
        self._change()

    def forget(self) -> None:
        """The resource is deleted, and its topic, if it is ours."""
        for reading in self._readings.values():
            reading.stop()
            reading.drop()
        if self.place is not None:
            self.place.server.unwatch(self._change)
            self.place.leave()

    def _read_anew(self) -> None:
        """The topic is another than before."""
        assert self.place is not None
        for reading in self._readings.values():
            reading.drop()
            reading.start(self.place, anew=True)
        self._change()

    # Who waits, and who is told.

    async def _until_settled(self, place: Place) -> None:
        """Return when all is set up. Raises ``Unavailable``."""
        server = place.server
        with anyio.move_on_after(PATIENCE):
            await server.until_known()
            while not self._settled and server.connected and place.trouble is None:
                await self._changed.wait()
        lost = server.lost()
        if lost is not None:
            raise lost
        who = f"{self._owner.kind} {self._owner.namespace}/{self._owner.name}"
        trouble = place.trouble
        if trouble is not None:
            what = f"{who} cannot keep events: {trouble.reason}"
            raise Unavailable(what, cause=trouble.cause, fix=trouble.fix)
        if not self._settled:
            raise Unavailable(f"{who} is still being set up on its server")

    def _change(self) -> None:
        """Something has changed somewhere: see what that means, and tell it."""
        place = self.place
        if place is not None:
            server, trouble = place.server, place.server.trouble
            if trouble is not None:
                self._standings.resource(False, NO_ADMIN, trouble.message)
            elif place.trouble is not None:
                self._standings.resource(False, place.trouble.reason, place.trouble.message)
            elif not place.found:
                self._standings.resource(None)
            elif server.connected:
                self._standings.resource(True, self._ready(place.backing))
            for uid, reading in self._readings.items():
                found = reading.trouble
                if found is not None:
                    self._standings.reader(uid, False, found.reason, found.message)
                else:
                    self._standings.reader(uid, True if reading.set_up else None)
            waited_for = any(reading.waited_for for reading in self._readings.values())
            self._settled = server.connected and place.found and not waited_for
        self._changed.set()
        self._changed = anyio.Event()

    def _ready(self, backing: KafkaBacking) -> str:
        topics = ", ".join(backing.topics)
        if backing.external:
            return f"Topic {topics} (owner external)"
        if self._owner.kind == "KafkaSink":
            return f"Topic {topics} (owner kafkasink-controller)"
        return f"Topic {topics} created"

    def _discarded(self, where: str, why: str) -> None:
        owner = self._owner
        self._around.publish(
            EventRefused(
                at=self._around.clock.wall(),
                kind=owner.kind,
                namespace=owner.namespace,
                name=owner.name,
                status=400,
                why=f"not a CloudEvent: {why}",
                sender=where,
            )
        )
