"""Serves ``func``'s current Python style on ``$PORT``: ``new()`` or ``async handle``, over ASGI.

Runs with the function's interpreter and needs only the standard library, so an ``http`` function
without requirements starts without an environment; a ``cloudevent`` one needs ``cloudevents`` 2.x,
whose events it hands out. It stands in for ``func-python`` and its hypercorn.

Usage: ``python func_python_runner.py FOLDER (http|cloudevent)``.

Source: Knative Functions reference Part 3; PyPI func-python 0.8.1.
Differs: an exception in an ``http`` function is a whole 500 with its message instead of a broken
body, with the traceback on stderr; a handler that ends without an answer is a whole, empty 500; a
``ValueError`` of a ``cloudevent`` handler is not mistaken for a malformed request.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    Message = dict[str, Any]
    Application = Callable[[Message, Any, Any], Awaitable[None]]

HEAD_LIMIT = 64 * 1024
BODY_AHEAD = 256 * 1024
"""Bytes of a request's body held for a function that does not read them yet."""
REFUSAL = b"Bad Request: This endpoint expects CloudEvent requests. "


class EventSender:
    """What a ``cloudevent`` function gets as ``send``."""

    def __init__(self, send: Callable[[Message], Awaitable[None]]) -> None:
        self._send = send

    async def __call__(self, event: Any, status: int = 200) -> None:
        """Answer with *event* in structured mode."""
        await self.structured(event, status)

    async def structured(self, event: Any, status: int = 200) -> None:
        """Answer with *event* as ``application/cloudevents+json``."""
        await self._encoded(_bindings().to_structured_event(event), status)

    async def binary(self, event: Any, status: int = 200) -> None:
        """Answer with *event* in binary mode."""
        await self._encoded(_bindings().to_binary_event(event), status)

    async def http(self, message: Message) -> None:
        """Send a raw ASGI message."""
        await self._send(message)

    async def _encoded(self, encoded: Any, status: int) -> None:
        fields = [(name.encode(), value.encode()) for name, value in encoded.headers.items()]
        fields.append((b"content-length", str(len(encoded.body)).encode()))
        await self._send({"type": "http.response.start", "status": status, "headers": fields})
        await self._send({"type": "http.response.body", "body": encoded.body})


class Exchange:
    """One request and its answer, as ASGI's ``receive`` and ``send``."""

    def __init__(self, connection: Connection, method: str, close: bool) -> None:
        self.close = close
        self.started = False
        self.finished = False
        self._connection = connection
        self._method = method
        self._length: int | None = None
        self._chunked = False
        self._delivered = False

    async def receive(self) -> Message:
        """The next part of the body; then, once the client has left, ``http.disconnect``."""
        if self._delivered:
            await self._connection.gone.wait()
            return {"type": "http.disconnect"}
        part, more = await self._connection.body_part()
        self._delivered = not more
        return {"type": "http.request", "body": part, "more_body": more}

    async def send(self, message: Message) -> None:
        """Take the answer's start, or a part of its body."""
        if message["type"] == "http.response.start":
            self._start(message)
        elif message["type"] == "http.response.body" and self.started and not self.finished:
            self._part(bytes(message.get("body", b"")), bool(message.get("more_body")))
        await self._connection.drained()

    def _start(self, message: Message) -> None:
        self.started = True
        self._status = int(message["status"])
        self._fields = [(bytes(name), bytes(value)) for name, value in message.get("headers", ())]

    def _part(self, body: bytes, more: bool) -> None:
        out = b""
        if self._length is None and not self._chunked:
            out = self._head(None if more else len(body))
        silent = self._method == "HEAD" or self._status in (204, 304)
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
            self._left -= len(part)
            return part, bool(part) and self._left > 0
        size = int((await self._reader.readline()).partition(b";")[0], 16)
        if size:
            part = await self._reader.readexactly(size)
            await self._reader.readline()
            return part, True
        while (await self._reader.readline()).rstrip(b"\r\n"):
            pass  # Trailers have no reader here.
        self._left = 0
        return b"", False

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
        self._left = None if chunked else int(fields.get(b"content-length", b"0"))
        if fields.get(b"expect", b"").lower() == b"100-continue":
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        wishes = fields.get(b"connection", b"").lower()
        close = self._server.draining or b"close" in wishes
        close = close or (scope["http_version"] == "1.0" and b"keep-alive" not in wishes)
        exchange = Exchange(self, scope["method"], close)
        try:
            await self._application(scope, exchange.receive, exchange.send)
        except Exception as error:  # noqa: BLE001  Whatever the function raises is its answer.
            _print_traceback()
            if not exchange.started:
                await _plain(exchange.send, 500, f"Internal Server Error: {error}".encode())
        if not exchange.started:
            await _plain(exchange.send, 500, b"")
        if not exchange.finished:
            return False
        while self._left != 0:
            part, more = await self.body_part()
            if not part and not more:
                break
        return not exchange.close


class Server:
    """How many requests run, and whether new ones are still welcome."""

    def __init__(self) -> None:
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
        listener = await loop.create_server(
            lambda: Connection(application, self), _host(), port, backlog=512
        )
        await told.wait()
        self.draining = True
        listener.close()
        await self._idle.wait()


class Middleware:
    """Health paths, and the event in the scope; everything else is the function's."""

    def __init__(self, function: Any, events: bool) -> None:
        self._function = function
        self._events = events

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["path"] == "/health/liveness":
            await self._health("alive", send)
        elif scope["path"] == "/health/readiness":
            await self._health("ready", send)
        elif self._events:
            await self._handle_event(scope, receive, send)
        else:
            await self._function.handle(scope, receive, send)

    async def _health(self, method: str, send: Any) -> None:
        result = getattr(self._function, method, lambda: True)()
        healthy, message = result if isinstance(result, tuple) else (result, "OK")
        await _plain(send, 200 if healthy else 500, str(message).encode())

    async def _handle_event(self, scope: Message, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        try:
            headers = {name.decode("latin-1"): v.decode() for name, v in scope["headers"]}
            bindings = _bindings()
            scope["event"] = bindings.from_http_event(bindings.HTTPMessage(headers, body))
        except Exception:  # noqa: BLE001  The SDK has many ways to say that this is no event.
            await _plain(send, 400, REFUSAL)
            return
        sender = EventSender(send)
        try:
            await self._function.handle(scope, receive, sender)
        except Exception as error:  # noqa: BLE001  Whatever the function raises is its answer.
            _print_traceback()
            await sender.structured(_error_event(error), 500)


def main(folder: str, invoke: str) -> None:
    """Load the function in *folder* and serve it until told to stop."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, write_through=False)  # type: ignore[union-attr]
    sys.path.insert(0, folder)
    function = _load(folder)
    if hasattr(function, "start"):
        function.start(dict(os.environ))  # noqa: TID251
    application = Middleware(function, invoke == "cloudevent")
    asyncio.run(_serve(application, int(os.environ["PORT"])))  # noqa: TID251
    if hasattr(function, "stop"):
        function.stop()


async def _serve(application: Application, port: int) -> None:
    await Server().serve(application, port)


def _host() -> str:
    """Loopback where the runtime asks for it, every address where it does not: in a container."""
    asked = os.environ.get("LISTEN_ADDRESS", "")  # noqa: TID251
    return "127.0.0.1" if asked.startswith("127.0.0.1:") else "0.0.0.0"


def _load(folder: str) -> Any:
    name = "function" if os.path.isdir(os.path.join(folder, "function")) else "func"
    module = __import__(name)
    if hasattr(module, "new"):
        return module.new()
    if hasattr(module, "handle"):
        return module
    raise SystemExit(f"{folder}: the module {name} has neither new() nor handle()")


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


async def _plain(send: Any, status: int, body: bytes) -> None:
    fields = [(b"content-type", b"text/plain")] if body else []
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


def _bindings() -> Any:
    import cloudevents.core.bindings.http as bindings  # type: ignore[import-not-found]

    return bindings


def _error_event(error: Exception) -> Any:
    from cloudevents.core.v1.event import CloudEvent  # type: ignore[import-not-found]

    attributes = {"type": "dev.functions.error", "source": "/cloudevent/error"}
    return CloudEvent(attributes=attributes, data={"message": f"Error: {error}"})


def _print_traceback() -> None:
    import traceback

    traceback.print_exc()


if __name__ == "__main__":
    main(*sys.argv[1:])
