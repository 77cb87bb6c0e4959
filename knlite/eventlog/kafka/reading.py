"""One reader of a log: where its group begins, its member, and its end.

Source: Eventing data plane reference §7 (offsets are committed before a Trigger is ready);
knative-extensions/eventing-kafka-broker ``control-plane/pkg/reconciler/consumergroup`` (a group is
deleted with its reader).
"""

from collections.abc import Callable
from typing import Literal, NoReturn

import anyio
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import BrokerResponseError, KafkaError

from knlite.eventlog.cancellation import only_our_cancellation
from knlite.eventlog.kafka import questions
from knlite.eventlog.kafka.connecting import client_of
from knlite.eventlog.kafka.consumer import Consumer
from knlite.eventlog.kafka.cursor import KafkaCursor
from knlite.eventlog.kafka.place import Place, gone, group_key, left
from knlite.eventlog.kafka.problems import GROUP_FAILED, Refused, Trouble, trouble_of
from knlite.eventlog.kafka.server import Server
from knlite.eventlog.kafka.surroundings import Surroundings
from knlite.eventlog.port import Reader

STABLE = 60.0
"""Seconds after which a member that fails is not one that fails again."""
DELETE_ATTEMPTS = 3
"""For a group that somebody seems to be in, such as a run that has crashed a moment ago."""


class Reading:
    """A reader that is open."""

    def __init__(
        self,
        reader: Reader,
        at: Literal["start", "end"],
        around: Surroundings,
        changed: Callable[[], None],
    ) -> None:
        self.reader = reader
        self.cursor = KafkaCursor(reader)
        self.set_up = False
        """Where it begins is known, and events that come from now on are for it."""
        self.trouble: Trouble | None = None
        """Why it gets nothing."""
        self._at: Literal["start", "end"] = at
        self._anew = False
        self._begun = False
        self._around = around
        self._changed = changed
        self._scope = anyio.CancelScope()
        self._turn = anyio.Lock()
        """Held while a member is in the group: the next one has to wait until it has left."""

    @property
    def waited_for(self) -> bool:
        """Events should not be taken in yet: it would miss them."""
        return not self.set_up and self.trouble is None

    def start(self, place: Place, *, anew: bool = False) -> None:
        """Read from there, and not from where it was before; *anew*: all that is there."""
        self.stop()
        self._anew = anew
        self.set_up, self.trouble = False, None
        scope = self._scope = anyio.CancelScope()

        async def work() -> None:
            with scope:
                async with self._turn:
                    await self._read(place)

        self._around.start(work)

    def stop(self) -> None:
        """Read nothing more."""
        self._scope.cancel()

    def drop(self) -> None:
        """What it has is nothing of its affair any more."""
        self.cursor.drop()

    def forget(self, server: Server) -> None:
        """It is deleted, and so is its group."""
        self.stop()
        self.drop()
        server.leaving[group_key(self.reader.name)] = anyio.Event()
        self._around.start(lambda: self._delete(server))

    async def _read(self, place: Place) -> NoReturn:
        """Be in the group until cancelled."""
        clock, failures = self._around.clock, 0
        while True:
            began = clock.now()
            try:
                with only_our_cancellation():
                    await self._begin(place)
                    await place.server.reached()
                    await self._member(place).run()
            except Refused as exc:
                self._fails(exc.trouble)
            except (KafkaError, OSError) as exc:
                # A server that is lost is told by others.
                if isinstance(exc, BrokerResponseError) and not exc.retriable:
                    self._fails(trouble_of(exc, GROUP_FAILED, place.backing.server))
            except Exception as exc:  # noqa: BLE001  a name that nobody has thought of stops only this
                self._fails(trouble_of(exc, GROUP_FAILED, place.backing.server))
            failures = 0 if clock.now() - began > STABLE else failures + 1
            await self._around.pause(failures)

    def _member(self, place: Place) -> Consumer:
        return Consumer(
            self.cursor,
            place.decoder,
            place.server,
            place.backing.topics,
            self.reader.name,
            self._around.clock,
            self._joined,
        )

    async def _begin(self, place: Place) -> None:
        """Have the group begin where its reader does. Raises ``Refused``."""
        group, server = self.reader.name, place.server
        await place.until_found()
        await gone(server, group_key(group))
        # Where a group of this name has been in a topic that is new means nothing.
        anew = self._anew or (place.created and not self._begun)
        start = (self._at == "start" and place.created) or self._anew
        at: Literal["earliest", "latest"] = "earliest" if start else place.backing.initial

        async def begin(client: AIOKafkaClient) -> None:
            known = place.backing.server
            # After a crash the member that it was is still there, and has all partitions.
            await questions.dismiss(client, known, group, client_of(self.reader.uid))
            await questions.begin(client, known, group, place.topics, at, anew=anew)

        await server.ask(begin)
        self._anew, self._begun = False, True
        self.set_up = True
        self._changed()

    def _joined(self) -> None:
        """Only now it is known that the group takes us."""
        if self.trouble is not None:
            self.trouble = None
            self._changed()

    def _fails(self, trouble: Trouble) -> None:
        """Nobody waits for it any more."""
        if trouble != self.trouble:
            self.trouble = trouble
            self._changed()

    async def _delete(self, server: Server) -> None:
        group = self.reader.name

        async def delete(client: AIOKafkaClient) -> bool:
            return await questions.forget_group(client, server.server, group)

        try:
            async with self._turn:
                pass
            for attempt in range(DELETE_ATTEMPTS):
                if await server.ask(delete):
                    break
                await self._around.pause(attempt + 3)
        except Refused as exc:
            self._around.complain(f"group {group} was not deleted\n  cause: {exc.cause}")
        except Exception as exc:  # noqa: BLE001  as above
            self._around.complain(f"group {group} was not deleted\n  cause: {exc}")
        finally:
            left(server, group_key(group))
