"""HTTP/1.1 for a function of func's current style: each request is an ASGI scope and an exchange.

Inside the instance, so it needs the standard library only.

Source: RFC 9112; ASGI 3.0, HTTP and WebSocket message format 2.3; Knative Functions reference
Part 3. Not here: what answers (``func_python_runner.py``).
"""

from __future__ import annotations

import asyncio
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from knlite.functions.runners import knlite_loading as loading
    from knlite.functions.runners.knlite_streams import Streams

    Message = dict[str, Any]

    class Application(Protocol):
        """What answers requests."""

        async def answer(self, scope: Message, exchange: Exchange) -> None:
            """Have the request answered, whatever the function does."""
            ...
else:
    import knlite_loading as loading

HEAD_LIMIT = 64 * 1024
BODY_AHEAD = 256 * 1024
"""Bytes of a request's body held for a function that does not read them yet."""


class Exchange:
    """One request and its answer, as ASGI's ``receive`` and ``send``."""

    def __init__(self, connection: Connection, method: str, close: bool) -> None:
        self.close = close
        self.started = False
        self.finished = False
        self.broken = False
        """The body has not come whole, and nothing that follows on the connection makes sense."""
        self._connection = connection
        self._method = method
        self._length: int | None = None
        self._chunked = False
        self._delivered = False

    async def receive(self) -> Message:
        """The next part of the body; then, once the client has left, ``http.disconnect``."""
        if self._delivered and not self.broken:
            await self._connection.gone.wait()
        if self._delivered:
            return {"type": "http.disconnect"}
        try:
            part, more = await self._connection.body_part()
        except (ConnectionError, asyncio.IncompleteReadError, ValueError):
            self.broken = self._delivered = True
            return {"type": "http.disconnect"}
        self._delivered = not more
        return {"type": "http.request", "body": part, "more_body": more}

    async def send(self, message: Message) -> None:
        """Take the answer's start, or a part of its body."""
        if message["type"] == "http.response.start":
            self._start(message)
        elif message["type"] == "http.response.body" and not self.finished:
            if not self.started:
                raise RuntimeError("http.response.body is sent before http.response.start")
            self._part(message.get("body", b""), bool(message.get("more_body")))
        await self._connection.drained()

    def _start(self, message: Message) -> None:
        if self.started:
            raise RuntimeError("http.response.start has been sent already")
        fields = [(name, value) for name, value in message.get("headers", ())]
        if not all(isinstance(each, bytes) for field in fields for each in field):
            raise TypeError("names and values of headers must be bytes")
        if any(end in each for field in fields for each in field for end in (b"\r", b"\n")):
            raise ValueError("a header contains a line end")
        self._status = int(message["status"])
        if not 200 <= self._status <= 999:
            raise ValueError(f"{self._status} is no status of an answer")
        self._fields = fields
        self.started = True

    def _part(self, body: bytes, more: bool) -> None:
        if not isinstance(body, bytes | bytearray | memoryview):
            raise TypeError(f"the body of an answer must be bytes, not {loading.a(body)}")
        out = b""
        if self._length is None and not self._chunked:
            out = self._head(None if more else len(body))
        silent = self._method == "HEAD" or self._status in (204, 304)
        if self._length is not None and not silent:
            self._length -= len(body)
            if self._length < 0 or (self._length and not more):
                raise RuntimeError("the body of the answer has not the length of its header")
        if not silent and body:
            out += b"%x\r\n%b\r\n" % (len(body), body) if self._chunked else body
        if not more:
            self.finished = True
            if self._chunked and not silent:
                out += b"0\r\n\r\n"
        self._connection.write(out)

    def _head(self, length: int | None) -> bytes:
        lines = [b"HTTP/1.1 %d " % self._status]
        for name, value in self._fields:
            if name.lower() == b"content-length":
                length = int(value)
            elif name.lower() not in (b"connection", b"transfer-encoding"):
                lines.append(b"%b: %b" % (name, value))
        if length is None:
            self._chunked = True
            lines.append(b"transfer-encoding: chunked")
        else:
            self._length = length
            if self._status not in (204, 304):
                lines.append(b"content-length: %d" % length)
        if self.close:
            lines.append(b"connection: close")
        return b"\r\n".join(lines) + b"\r\n\r\n"


class Connection(asyncio.StreamReaderProtocol):
    """One client: parses requests one after the other and runs the application for each."""

    def __init__(self, application: Application, server: Server) -> None:
        self._reader = asyncio.StreamReader(limit=BODY_AHEAD)
        super().__init__(self._reader, self._connected)
        self._application = application
        self._server = server
        self.gone = asyncio.Event()
        self._left: int | None = 0
        """Bytes of the body that are to come; None for one in chunks."""
        self._chunk = 0
        """Bytes of the chunk that are to come."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell a function that waits for it."""
        self.gone.set()
        super().connection_lost(exc)

    def write(self, data: bytes) -> None:
        """Hand *data* to the transport, if the client is still there."""
        if data and not self._writer.is_closing():
            self._writer.write(data)

    async def drained(self) -> None:
        """Wait while the client reads too slowly."""
        if not self.gone.is_set():
            await self._writer.drain()

    async def body_part(self) -> tuple[bytes, bool]:
        """The next part of the request's body, and whether more follows."""
        if self._left == 0:
            return b"", False
        if self._left is not None:
            part = await self._reader.read(min(self._left, 65536))
            if not part:
                raise ConnectionError("the client left within its body")
            self._left -= len(part)
            return part, self._left > 0
        self._chunk = self._chunk or await self._next_chunk()
        if self._chunk:
            part = await self._reader.read(min(self._chunk, 65536))
            if not part:
                raise ConnectionError("the client left within its body")
            self._chunk -= len(part)
            if not self._chunk:
                await self._reader.readline()
            return part, True
        while (await self._reader.readline()).rstrip(b"\r\n"):
            pass  # Trailers have no reader here.
        self._left = 0
        return b"", False

    async def _next_chunk(self) -> int:
        size = int((await self._reader.readline()).partition(b";")[0], 16)
        if size < 0:
            raise ValueError("malformed chunk")
        return size

    async def _connected(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        try:
            while await self._exchange():
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # The client has gone; nobody is left to tell.
        except (ValueError, asyncio.LimitOverrunError):
            self.write(b"HTTP/1.1 400 \r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        finally:
            writer.close()

    async def _exchange(self) -> bool:
        head = await self._reader.readuntil(b"\r\n\r\n")
        if len(head) > HEAD_LIMIT:
            raise ValueError("request head too large")
        self._server.enter()
        try:
            return await self._answer(head.lstrip(b"\r\n"))
        finally:
            self._server.leave()

    async def _answer(self, head: bytes) -> bool:
        scope = _scope(head, self._writer)
        fields = dict(scope["headers"])
        chunked = b"chunked" in fields.get(b"transfer-encoding", b"").lower()
        length = fields.get(b"content-length", b"0")
        if not length.isdigit():
            raise ValueError("malformed content-length")
        self._left = None if chunked else int(length)
        if fields.get(b"expect", b"").lower() == b"100-continue":
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        wishes = fields.get(b"connection", b"").lower()
        close = self._server.draining or b"close" in wishes
        close = close or (scope["http_version"] == "1.0" and b"keep-alive" not in wishes)
        exchange = Exchange(self, scope["method"], close)
        streams = self._server.streams
        if streams is None:
            await self._application.answer(scope, exchange)
        else:
            token = streams.begin(fields.get(b"x-request-id", b"").decode("latin-1"))
            try:
                await self._application.answer(scope, exchange)
            finally:
                streams.end(token)
        if exchange.broken and not exchange.started:
            raise ValueError("malformed body")
        if exchange.broken or not exchange.finished:
            return False
        while self._left != 0:
            part, more = await self.body_part()
            if not part and not more:
                break
        return not exchange.close


class Server:
    """How many requests run, and whether new ones are still welcome."""

    def __init__(self, streams: Streams | None) -> None:
        self.streams = streams
        self.draining = False
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def enter(self) -> None:
        """A request begins."""
        self._running += 1
        self._idle.clear()

    def leave(self) -> None:
        """A request has ended."""
        self._running -= 1
        if not self._running:
            self._idle.set()

    async def serve(self, application: Application, port: int) -> None:
        """Serve until the first SIGTERM or SIGINT, then finish what runs."""
        loop = asyncio.get_running_loop()
        told = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, told.set)
        loading.free_children()
        listener = await loop.create_server(
            lambda: Connection(application, self), loading.host(), port, backlog=512
        )
        await told.wait()
        self.draining = True
        listener.close()
        await self._idle.wait()


def _scope(head: bytes, writer: asyncio.StreamWriter) -> Message:
    request_line, *lines = head[:-4].split(b"\r\n")
    try:
        method, target, version = request_line.decode("latin-1").split(" ")
    except ValueError:
        raise ValueError("malformed request line") from None
    fields: list[tuple[bytes, bytes]] = []
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon:
            raise ValueError("malformed header")
        fields.append((name.lower(), value.strip()))
    path, _, query = target.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": version.removeprefix("HTTP/"),
        "method": method,
        "scheme": "http",
        "path": _unquote(path),
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": fields,
        "client": writer.get_extra_info("peername"),
        "server": writer.get_extra_info("sockname"),
        "state": {},
        "extensions": {},
    }


def _unquote(path: str) -> str:
    if "%" not in path:
        return path
    from urllib.parse import unquote

    return unquote(path)
