"""What the server is told of the messages of one channel: that they are done, or not wanted.

What is done in one turn of the loop is told at its end, and with one frame as far as nothing before
it is in hand: each frame costs the server a command to its queue.
"""

import asyncio

from knlite.eventlog.rabbitmq import frames
from knlite.eventlog.rabbitmq.hand import Hand
from knlite.eventlog.rabbitmq.wire import Wire


class Acks:
    """Those of *channel*, of which *hand* has what is not done."""

    def __init__(self, wire: Wire, channel: int, hand: Hand) -> None:
        self._wire = wire
        self._channel = channel
        self._hand = hand
        self._loop = asyncio.get_running_loop()
        self._done: list[int] = []
        """Tags of this turn."""
        self._leaves = False

    def done(self, tag: int) -> None:
        """The message *tag* is done."""
        if not self._done:
            self._loop.call_soon(self.flush)
        self._done.append(tag)

    def reject(self, tag: int) -> None:
        """The message *tag* is not wanted, also not once more."""
        self._wire.send(frames.reject(self._channel, tag))

    def leave(self) -> None:
        """A message is in nobody's hand, and stays with the server."""
        self._leaves = True

    def flush(self) -> None:
        """Tell what is done by now."""
        done, self._done = sorted(self._done), []
        oldest = self._hand.oldest
        if not self._leaves:
            together = done if oldest is None else [tag for tag in done if tag < oldest]
            if together:
                self._wire.send(frames.ack(self._channel, together[-1], multiple=True))
                done = done[len(together) :]
        for tag in done:
            self._wire.send(frames.ack(self._channel, tag))
