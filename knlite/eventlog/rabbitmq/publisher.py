"""Publishes on a channel of its own, and knows what the server has confirmed."""

import asyncio
from collections.abc import Iterable

from knlite.errors import InvalidInput, KnliteError, Unavailable
from knlite.eventing.rabbitmq.codec import Written
from knlite.eventlog.rabbitmq import frames
from knlite.eventlog.rabbitmq.wire import TIMEOUT, Wire


class Publisher:
    """Implements ``wire.Confirmations``."""

    def __init__(self, wire: Wire, channel: int) -> None:
        self._wire = wire
        self._channel = channel
        self._tag = 0
        self._waiting: dict[int, asyncio.Future[bool]] = {}
        """By tag, in its order: True is confirmed, False refused."""
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        wire.confirmations_to(channel, self)

    def publish(self, exchange: str, routing_key: str, message: Written) -> asyncio.Future[bool]:
        """Have *message* sent; what comes says whether the server has taken it.

        Raises ``InvalidInput`` if no server can take it.
        """
        wire, channel = self._wire, self._channel
        try:
            content = frames.message(
                channel,
                message.headers,
                message.content_type,
                message.message_id,
                message.body,
                wire.frame_max,
            )
            method = frames.publish_method(channel, exchange, routing_key)
        except frames.TooLong as exc:
            raise InvalidInput(
                f"the name {str(exc)[:40]!r}… is too long for RabbitMQ",
                cause="a header of a message has a name of at most 255 bytes",
            ) from exc
        if content is None:
            raise InvalidInput(
                "the attributes of the event are too long for RabbitMQ",
                cause=f"all headers of a message have to go into {wire.frame_max} bytes",
                fix="put what is large into the data, or set frame_max on the server",
            )
        self._tag += 1
        taken = self._waiting[self._tag] = self._loop.create_future()
        wire.send(method + content)
        if self._timer is None:
            self._watch()
        return taken

    def confirmed(self, tag: int, *, multiple: bool, taken: bool) -> None:
        """The server has said what has become of the message *tag*."""
        if not multiple:
            self._settle((tag,), taken)
            return
        before = []
        for each in self._waiting:
            if each > tag:
                break
            before.append(each)
        self._settle(before, taken)

    def give_up(self, error: KnliteError) -> None:
        """Nothing is confirmed any more of what was sent."""
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(error)
                # Its sender may have gone.
                future.exception()
        self._waiting.clear()

    def close(self, error: KnliteError) -> None:
        """Nothing is published here any more."""
        self._wire.forget(self._channel, self)
        self.give_up(error)
        if self._timer is not None:
            self._timer.cancel()

    def _settle(self, tags: Iterable[int], taken: bool) -> None:
        for tag in tags:
            future = self._waiting.pop(tag, None)
            if future is not None and not future.done():
                future.set_result(taken)

    def _watch(self) -> None:
        """See after a while whether what is not confirmed now still is not."""
        self._timer = self._loop.call_later(TIMEOUT, self._overdue, self._tag)

    def _overdue(self, tag: int) -> None:
        late = [each for each in self._waiting if each <= tag]
        for each in late:
            future = self._waiting.pop(each)
            if not future.done():
                future.set_exception(
                    Unavailable(
                        f"RabbitMQ has not confirmed the event within {TIMEOUT:g} s",
                        cause="it is overloaded, or its disks are slow",
                        fix="send it again; it may arrive twice",
                    )
                )
                future.exception()
        if self._waiting:
            self._watch()
        else:
            self._timer = None
