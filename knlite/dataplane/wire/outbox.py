"""What one turn of the event loop wants to send, sent as one.

A transport hands each write to the kernel at once, and that call costs more than parsing the
request; an answer is head, body and often a last chunk. So writes are collected until the turn
ends, or until the sender knows that it is done. Flow control sees them one turn later.
"""

import asyncio


class Outbox:
    """Collects writes to one transport."""

    __slots__ = ("_loop", "_pieces", "_transport")

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.WriteTransport) -> None:
        self._loop = loop
        self._transport = transport
        self._pieces: list[bytes] = []

    def put(self, data: bytes) -> None:
        """Send *data* at the end of this turn."""
        if not self._pieces:
            self._loop.call_soon(self.flush)
        self._pieces.append(data)

    def flush(self) -> None:
        """Send now."""
        pieces = self._pieces
        if pieces:
            self._pieces = []
            if len(pieces) == 1:
                self._transport.write(pieces[0])
            else:
                self._transport.writelines(pieces)

    def send(self, data: bytes) -> None:
        """Send what was put, and *data*, now."""
        self._pieces.append(data)
        self.flush()

    def drop(self) -> None:
        """Forget what was put: the transport is lost."""
        self._pieces = []
