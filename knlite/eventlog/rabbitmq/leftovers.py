"""What is to be deleted on a server, when there is one to be asked."""

from collections.abc import Callable, Iterable

import anyio

from knlite.eventing.rabbitmq.backing import RabbitmqServer
from knlite.eventlog.cancellation import only_our_cancellation
from knlite.eventlog.rabbitmq import complaints, declaring
from knlite.eventlog.rabbitmq.link import Session
from knlite.eventlog.rabbitmq.wire import TIMEOUT

Complain = Callable[[str], None]


class Leftovers:
    """Queues and exchanges of readers and resources that are gone."""

    def __init__(self, complain: Complain) -> None:
        self.queues = set[str]()
        self.exchanges = set[str]()
        self._complain = complain

    def __bool__(self) -> bool:
        return bool(self.queues or self.exchanges)

    def add(self, queues: Iterable[str], exchanges: Iterable[str]) -> None:
        """These are to go, with what is in them."""
        self.queues.update(queues)
        self.exchanges.update(exchanges)

    async def delete(self, session: Session, server: RabbitmqServer) -> None:
        """Delete all of it; what the server refuses is told, and stays.

        Raises ``FAILURES`` when the connection is lost.
        """
        for queue in tuple(self.queues):
            await self._delete(session, server, queue, declaring.delete_queue)
            self.queues.discard(queue)
        for exchange in tuple(self.exchanges):
            await self._delete(session, server, exchange, declaring.delete_exchange)
            self.exchanges.discard(exchange)

    async def _delete(
        self, session: Session, server: RabbitmqServer, name: str, ask: declaring.Ask
    ) -> None:
        wire = session.publishing
        try:
            with anyio.fail_after(TIMEOUT), only_our_cancellation():
                async with wire.channel() as channel:
                    await ask(channel, name)
        except Exception as exc:
            if wire.connection.is_closed:
                raise
            trouble = complaints.of_setting_up(exc, name, server)
            self._complain(f"RabbitMQ has not deleted {name}: {trouble.message}")
