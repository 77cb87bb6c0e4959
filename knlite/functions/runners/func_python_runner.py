"""Serves ``func``'s current Python style on ``$PORT``: ``new()`` or ``async handle``, over ASGI.

Runs with the function's interpreter and needs only the standard library, so an ``http`` function
without requirements starts without an environment; a ``cloudevent`` one needs ``cloudevents`` 2.x,
whose events it hands out. It stands in for ``func-python`` and its hypercorn.

Usage: ``python func_python_runner.py FOLDER (http|cloudevent)``, with ``knlite_loading.py`` and
``knlite_streams.py`` beside it.

Source: Knative Functions reference Part 3; PyPI func-python 0.8.1.
Differs: an exception in an ``http`` function is a whole 500 with its message instead of a broken
body, with the traceback on stderr; a handler that ends without an answer is a whole, empty 500; a
``ValueError`` of a ``cloudevent`` handler is not mistaken for a malformed request; hooks may be
``async``, and the handler an ordinary function, which runs in a thread and for which ``receive``
and ``send`` wait.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import ThreadPoolExecutor
    from typing import Any

    from knlite.functions.runners import knlite_loading as loading
    from knlite.functions.runners.knlite_loading import Function
    from knlite.functions.runners.knlite_streams import Streams

    Message = dict[str, Any]
else:
    import knlite_loading as loading

HEAD_LIMIT = 64 * 1024
BODY_AHEAD = 256 * 1024
"""Bytes of a request's body held for a function that does not read them yet."""
THREADS = 256
"""Requests that ordinary functions handle side by side; the queue-proxy bounds them before."""
EXAMPLE = "async def handle(scope, receive, send): ..."
REFUSAL = b"Bad Request: This endpoint expects CloudEvent requests. "


class EventSender:
    """What a ``cloudevent`` function gets as ``send``."""

    def __init__(self, send: Callable[[Message], Awaitable[None]]) -> None:
        self._send = send
        self.used = False

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
        self.used = True
        await self._send(message)

    async def _encoded(self, encoded: Any, status: int) -> None:
        fields = [(name.encode(), value.encode()) for name, value in encoded.headers.items()]
        fields.append((b"content-length", str(len(encoded.body)).encode()))
        self.used = True
        await self._send({"type": "http.response.start", "status": status, "headers": fields})
        await self._send({"type": "http.response.body", "body": encoded.body})


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

    def __init__(self, application: Middleware, server: Server) -> None:
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

    async def serve(self, application: Middleware, port: int) -> None:
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


class Middleware:
    """Health paths, and the event in the scope; everything else is the function's."""

    def __init__(self, instance: Any, events: bool, function: Function) -> None:
        self._instance = instance
        self._events = events
        self._function = function
        self._handler = instance.handle
        self._in_thread = not loading.is_async(self._handler)
        self._threads: ThreadPoolExecutor | None = None

    async def answer(self, scope: Message, exchange: Exchange) -> None:
        """Have the request answered, whatever the function does."""
        try:
            returned = await self(scope, exchange.receive, exchange.send)
        except (Exception, SystemExit) as error:  # noqa: BLE001  What it raises is its answer.
            trace = self._function.raised(error)
            if not exchange.started:
                said = f"Internal Server Error: {error}".encode()
                await _plain(exchange.send, 500, trace or said)
            return
        if exchange.broken or (exchange.started and exchange.finished):
            return
        aside = "" if returned is None else f"; it returned {loading.a(returned)}, which is ignored"
        what = "the end of its answer" if exchange.started else "an answer"
        sys.stderr.write(
            f"handle() of {self._function.origin} ended without sending {what}{aside}\n"
        )
        if not exchange.started:
            await _plain(exchange.send, 500, b"")

    async def __call__(self, scope: Message, receive: Any, send: Any) -> Any:
        """Serve one request; what the function returns has no meaning."""
        if scope["path"] == "/health/liveness":
            return await self._health("alive", send)
        if scope["path"] == "/health/readiness":
            return await self._health("ready", send)
        if self._events:
            return await self._handle_event(scope, receive, send)
        return await self._handle(scope, receive, send)

    async def _handle(self, scope: Message, receive: Any, send: Any) -> Any:
        if not self._in_thread:
            return await self._handler(scope, receive, send)
        import contextvars
        from concurrent.futures import ThreadPoolExecutor

        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS)
        loop = asyncio.get_running_loop()
        arguments = (scope, OfBoth(receive, loop), OfBoth(send, loop))
        run = contextvars.copy_context().run
        returned = await loop.run_in_executor(self._threads, run, self._handler, *arguments)
        # It may stand before an async one: a decorator, a partial, an application.
        return await returned if loading.is_awaitable(returned) else returned

    async def _health(self, method: str, send: Any) -> None:
        result: Any = getattr(self._instance, method, lambda: True)()
        if loading.is_awaitable(result):
            result = await result
        healthy, message = result if isinstance(result, tuple) else (result, "OK")
        await _plain(send, 200 if healthy else 500, str(message).encode())

    async def _handle_event(self, scope: Message, receive: Any, send: Any) -> Any:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
        try:
            headers = {name.decode("latin-1"): v.decode() for name, v in scope["headers"]}
            bindings = _bindings()
            scope["event"] = bindings.from_http_event(bindings.HTTPMessage(headers, body))
        except Exception:  # noqa: BLE001  The SDK has many ways to say that this is no event.
            return await _plain(send, 400, REFUSAL)
        sender = EventSender(send)
        try:
            return await self._handle(scope, receive, sender)
        except (Exception, SystemExit) as error:
            if sender.used:
                raise
            trace = self._function.raised(error)
            await sender.structured(_error_event(error, trace.decode()), 500)
            return None


class OfBoth:
    """``receive`` or ``send``, and what else ``send`` has, for a function in a thread.

    Called there it waits; called on the event loop it gives something to wait for.
    """

    def __init__(self, called: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._called = called
        self._loop = loop

    def __call__(self, *arguments: Any) -> Any:
        """Call it."""
        if asyncio._get_running_loop() is not None:
            return self._called(*arguments)
        return asyncio.run_coroutine_threadsafe(self._called(*arguments), self._loop).result()

    def __getattr__(self, name: str) -> Any:
        return OfBoth(getattr(self._called, name), self._loop)


def main(folder: str, invoke: str) -> None:
    """Load the function in *folder* and serve it until told to stop."""
    function = loading.Function(folder)
    streams = function.streams()
    asyncio.run(_serve(_load(function), invoke == "cloudevent", function, streams))


async def _serve(instance: Any, events: bool, function: Function, streams: Streams | None) -> None:
    if loading.is_awaitable(instance):
        instance = await _hook("new", lambda: instance, function)
    file = function.file
    if not callable(getattr(instance, "handle", None)):
        function.end(
            f"{file}: what new() returns, {loading.a(instance)}, has no handle()",
            f"give its class one: {EXAMPLE}",
        )
    if hasattr(instance, "start"):
        await _hook("start", instance.start, function, dict(os.environ))  # noqa: TID251
    application = Middleware(instance, events, function)
    await Server(streams).serve(application, int(loading.told("PORT")))
    if hasattr(instance, "stop"):
        result = instance.stop()
        if loading.is_awaitable(result):
            await result


async def _hook(name: str, hook: Any, function: Function, *arguments: Any) -> Any:
    result = function.call(name, hook, *arguments)
    if not loading.is_awaitable(result):
        return result
    try:
        return await result
    except (Exception, SystemExit) as error:  # noqa: BLE001  Any of them is the end, and is told.
        function.refuse(error, f" in {name}()")


def _load(function: Function) -> Any:
    """The function's instance, or something to wait for that gives it."""
    package = os.path.isdir(os.path.join(function.folder, "function"))
    module = function.load("function" if package else "func")
    if hasattr(module, "new"):
        return function.call("new", function.handler(module, "new", "def new(): return Function()"))
    function.handler(module, "handle", EXAMPLE)
    return module


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


def _error_event(error: BaseException, trace: str) -> Any:
    from cloudevents.core.v1.event import CloudEvent  # type: ignore[import-not-found]

    attributes = {"type": "dev.functions.error", "source": "/cloudevent/error"}
    data = {"message": f"Error: {error}", **({"traceback": trace} if trace else {})}
    return CloudEvent(attributes=attributes, data=data)


if __name__ == "__main__":
    main(*sys.argv[1:])
