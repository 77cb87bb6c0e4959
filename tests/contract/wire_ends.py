"""A transport without a socket, and a loop without waiting, to drive the wire directly."""

import asyncio
from collections.abc import Callable, Mapping


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
        self.late = 0
        """Bytes that were written after the end."""
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
        if self.closed:
            self.late += len(data)
        else:
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


class Timer:
    """A call that is to come; stands for ``asyncio.TimerHandle``."""

    def __init__(self, when: float, call: Callable[[], object]) -> None:
        self._when = when
        self.call = call
        self.cancelled = False

    def when(self) -> float:
        return self._when

    def cancel(self) -> None:
        self.cancelled = True


class Loop:
    """What the wire needs of an event loop, with a time of its own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Timer] = []
        self.reported: list[Mapping[str, object]] = []
        """Exceptions that nobody caught."""

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, call: Callable[[], object]) -> Timer:
        timer = Timer(when, call)
        self.timers.append(timer)
        return timer

    def call_exception_handler(self, told: Mapping[str, object]) -> None:
        self.reported.append(told)

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass, and call what is due meanwhile in its order."""
        end = self.now + seconds
        while due := [timer for timer in self.pending() if timer.when() <= end]:
            timer = min(due, key=Timer.when)
            self.timers.remove(timer)
            self.now = max(self.now, timer.when())
            timer.call()
        self.now = end

    def pending(self) -> list[Timer]:
        """What is still to come."""
        return [timer for timer in self.timers if not timer.cancelled]
