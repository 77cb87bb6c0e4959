"""A connection after its protocol was switched: bytes in both directions as they are.

It takes the place of the HTTP protocol on the same transport, so that the parser and its state are
gone and a WebSocket that says nothing costs little. Either side may close its half.

Source: RFC 9110 §7.8, §15.2.2; RFC 6455 §1.3.
"""

import asyncio
from typing import Protocol


class End(Protocol):
    """Who takes what one side of a switched connection says."""

    def tunnel_data(self, data: bytes) -> None:
        """Take the next bytes, never empty."""
        ...

    def tunnel_eof(self) -> None:
        """The peer sends nothing more; it may still read."""
        ...

    def tunnel_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        ...

    def tunnel_congested(self, congested: bool) -> None:
        """More, or no longer more, is waiting to be sent than should."""
        ...


class Tunnel(asyncio.Protocol):
    """One side of a switched connection, on a transport that is connected already."""

    def __init__(self, transport: asyncio.Transport, end: End) -> None:
        self._transport = transport
        self._end = end
        self._reading = True
        self.congested = False

    def data_received(self, data: bytes) -> None:
        self._end.tunnel_data(data)

    def eof_received(self) -> bool:
        self._end.tunnel_eof()
        # Stays open for what the other side still says; TLS knows no half that is closed.
        return self._transport.can_write_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end.tunnel_lost(exc)

    def pause_writing(self) -> None:
        self.congested = True
        self._end.tunnel_congested(True)

    def resume_writing(self) -> None:
        self.congested = False
        self._end.tunnel_congested(False)

    def write(self, data: bytes) -> None:
        """Send *data*."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def write_eof(self) -> None:
        """Send nothing more, but read on."""
        if not self._transport.is_closing() and self._transport.can_write_eof():
            self._transport.write_eof()

    def read(self, wanted: bool) -> None:
        """Read, or do not read."""
        if wanted is not self._reading and not self._transport.is_closing():
            self._reading = wanted
            if wanted:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def close(self) -> None:
        """Close once everything has been sent."""
        self._transport.close()

    def abort(self) -> None:
        """Cut at once."""
        self._transport.abort()
