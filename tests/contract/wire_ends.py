"""A transport without a socket, for driving the wire's protocols directly."""

import asyncio


class Transport(asyncio.Transport):
    """Keeps what is written, and remembers who was told to take over."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False
        """Closed or cut."""
        self.aborted = False
        self.eof = False
        """Nothing more is written."""
        self.reading = True
        self.full = False
        """What the protocol was told of its writing."""
        self._protocol: asyncio.Protocol | None = None

    def protocol(self, first: asyncio.Protocol) -> asyncio.Protocol:
        """Who takes what is read, *first* unless it has handed the transport over."""
        return self._protocol or first

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        assert isinstance(protocol, asyncio.Protocol)
        self._protocol = protocol

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.eof
        # As asyncio's, which drops what is written after the end.
        if not self.closed:
            self.written += data

    def writelines(self, list_of_data: object) -> None:
        assert isinstance(list_of_data, list)
        self.write(b"".join(list_of_data))

    def write_eof(self) -> None:
        self.eof = True

    def can_write_eof(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading
        self.reading = True
