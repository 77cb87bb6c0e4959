"""Serves a ``def main(context)`` function on ``$PORT``, as the ``parliament`` package would.

Runs with the function's interpreter, so it may use the standard library only and loads little of
it: a start takes hardly longer than the interpreter's own. It stands in for ``parliament`` (which
ignores ``PORT`` and does not import with current packages) and gives the same answers.

Usage: ``python parliament_runner.py FOLDER``, with the modules ``knlite_….py`` beside it.

Source: Knative Functions reference Part 2; boson-project/parliament 0.1.0.
Differs: a thread for each connection instead of four, since Knative's queue-proxy bounds
concurrency; plain error pages instead of Flask's HTML; ``main`` may be ``async``.
"""

from __future__ import annotations

import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator

# Each import here is part of every cold start. json, urllib.parse and typing (which load re) cost
# as much as everything else together, so they are loaded where they are needed.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from knlite.functions.runners import knlite_loading as loading
    from knlite.functions.runners.knlite_loading import Function
    from knlite.functions.runners.knlite_parliament import (
        Context,
        event,
        read_event,
        warm,
        within_flask,
    )
    from knlite.functions.runners.knlite_replies import HTML, Reply, reply_of
    from knlite.functions.runners.knlite_request import Fields, Headers, Request
    from knlite.functions.runners.knlite_streams import Streams
else:
    import knlite_loading as loading
    from knlite_parliament import (
        Context,
        event,
        read_event,
        warm,
        within_flask,
    )
    from knlite_replies import HTML, Reply, reply_of
    from knlite_request import Fields, Headers, Request

BODY_METHODS = ("POST",)
HEALTH = ("/health/liveness", "/health/readiness")
HEAD_LIMIT = 64 * 1024
EXAMPLE = "def main(context): return 'Hello', 200"
REASONS = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    301: "Moved Permanently",
    302: "Found",
    304: "Not Modified",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

WHOLE = 64 * 1024
"""Bytes of an answer that are sent together with its head."""


class Server:
    """The listening socket, and how many requests run."""

    def __init__(
        self,
        main: Callable[[Context], Any],
        listener: socket.socket,
        function: Function,
        streams: Streams | None,
    ) -> None:
        self._main = main
        self._listener = listener
        self._function = function
        self._streams = streams
        self._waiter = Waiter()
        self._idle = threading.Condition()
        self._running = 0
        self._draining = False

    def serve(self) -> None:
        """Accept until the first SIGTERM or SIGINT, then finish what runs."""
        signal.signal(signal.SIGTERM, _leave)
        signal.signal(signal.SIGINT, _leave)
        loading.free_children()
        try:
            while True:
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._converse, args=(connection,), daemon=True)
                try:
                    thread.start()
                except RuntimeError as error:
                    # As many as there may be: the next one may find one that has ended.
                    sys.stderr.write(f"a connection is refused: {error}\n")
                    connection.close()
        except SystemExit:
            # A second signal must not break the drain; SIGKILL ends it at the end of the grace.
            signal.signal(signal.SIGTERM, _stay)
            signal.signal(signal.SIGINT, _stay)
        self._draining = True
        self._listener.close()
        with self._idle:
            self._idle.wait_for(lambda: self._running == 0)

    def _converse(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Closed by hand: a request that Flask keeps in a cycle would keep the connection open.
        reader = connection.makefile("rb")
        try:
            while head := _read_head(reader):
                with self._idle:
                    self._running += 1
                try:
                    again = self._exchange(connection, reader, head)
                finally:
                    with self._idle:
                        self._running -= 1
                        self._idle.notify_all()
                if not again:
                    return
        except OSError:
            return  # The client has gone; nobody is left to tell.
        except ValueError as error:
            _send(connection, "GET", (400, [], f"{error}\n".encode()), close=True)
        finally:
            reader.close()
            connection.close()

    def _exchange(self, connection: socket.socket, reader: Any, head: list[bytes]) -> bool:
        method, target, version, fields = _parse_head(head)
        headers = Headers(fields)
        if headers.get("expect", "").lower() == "100-continue":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        request = Request(method, target, fields, _read_body(reader, headers))
        streams = self._streams
        marked = streams.begin(headers.get("x-request-id", "")) if streams is not None else None
        wishes = headers.get("connection", "").lower()
        try:
            reply = self._answer(request)
            close = self._draining or "close" in wishes
            close = close or (version == "HTTP/1.0" and "keep-alive" not in wishes)
            chunked = version != "HTTP/1.0"
            try:
                return _send(connection, method, reply, close=close, chunked=chunked)
            except OSError:
                raise
            except Exception as error:  # noqa: BLE001  Raised by a body that comes in parts.
                self._function.raised(error)
                return False
        finally:
            if streams is not None and marked is not None:
                streams.end(marked)

    def _answer(self, request: Request) -> Reply:
        if request.path in HEALTH:
            return 200, [("Content-Type", HTML)], b"OK"
        if request.path != "/":
            return 404, [("Content-Type", HTML)], b"404 Not Found\n"
        if request.method == "OPTIONS":
            return 200, [("Allow", "GET, HEAD, OPTIONS, POST"), ("Content-Type", HTML)], b""
        if request.method not in ("GET", "HEAD", "POST"):
            allow = ("Allow", "GET, HEAD, OPTIONS, POST")
            return 405, [allow, ("Content-Type", HTML)], b"405 Method Not Allowed\n"
        context = Context(request)
        if request.method in BODY_METHODS:
            context.cloud_event = read_event(request)
        try:
            result = within_flask(request, context, self._call)
        except (Exception, SystemExit) as error:  # noqa: BLE001  What it raises is its answer.
            trace = self._function.raised(error)
            said = f"Function raised {error}".encode()
            return 500, [("Content-Type", HTML)], trace or said
        try:
            return reply_of(result)
        except (TypeError, ValueError) as error:
            sys.stderr.write(f"{self._function.file}: {error}\n")
            body = f"{error}\n" if self._function.debug else "500 Internal Server Error\n"
            return 500, [("Content-Type", HTML)], body.encode()

    def _call(self, context: Context) -> Any:
        result = self._main(context)
        return self._waiter.wait(result) if loading.is_awaitable(result) else result


class Waiter:
    """The event loop of ``async`` functions: one for all requests, started by the first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: Any = None

    def wait(self, awaitable: Any) -> Any:
        """The result of *awaitable*."""
        import asyncio

        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, daemon=True).start()

        async def whole() -> Any:
            return await awaitable

        return asyncio.run_coroutine_threadsafe(whole(), self._loop).result()


__all__ = ["main", "warm"]


def main(folder: str) -> None:
    """Load *folder*'s ``func.main`` and serve it until told to stop."""
    function = loading.Function(folder)
    streams = function.streams()
    standin = type(sys)("parliament")
    vars(standin).update(Context=Context, event=event)
    sys.modules["parliament"] = standin
    handler = function.handler(function.load("func"), "main", EXAMPLE)
    # The signals of a stop mean what they mean to every program until here.
    port = int(loading.told("PORT"))
    listener = socket.create_server((loading.host(), port), backlog=512)
    Server(handler, listener, function, streams).serve()


def _leave(number: int, frame: object) -> None:
    raise SystemExit(0)


def _stay(number: int, frame: object) -> None:
    """Nothing. To ignore a signal would have the programs that a function starts ignore it, too."""


def _read_head(reader: Any) -> list[bytes]:
    """The lines of the next head; none when the client has closed."""
    lines: list[bytes] = []
    size = 0
    while line := reader.readline(HEAD_LIMIT):
        size += len(line)
        if size >= HEAD_LIMIT:
            raise ValueError("request head too large")
        line = line.rstrip(b"\r\n")
        if line:
            lines.append(line)
        elif lines:
            return lines
    return []


def _parse_head(lines: list[bytes]) -> tuple[str, str, str, Fields]:
    try:
        method, target, version = lines[0].decode("latin-1").split(" ")
    except ValueError:
        raise ValueError("malformed request line") from None
    fields: Fields = []
    for line in lines[1:]:
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise ValueError("malformed header")
        fields.append((name, value.strip()))
    if target.startswith("http://"):
        target = "/" + target[7:].partition("/")[2]
    return method, target, version, fields


def _read_body(reader: Any, headers: Headers) -> bytes:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        chunks: list[bytes] = []
        while size := int(reader.readline(HEAD_LIMIT).partition(b";")[0], 16):
            if size < 0:
                raise ValueError("malformed chunk")
            chunks.append(_read_exactly(reader, size))
            reader.readline()
        while reader.readline(HEAD_LIMIT).rstrip(b"\r\n"):
            pass  # Trailers have no reader here.
        return b"".join(chunks)
    length = headers.get("content-length", "0")
    if not length.isdigit():
        raise ValueError("malformed content-length")
    return _read_exactly(reader, int(length))


def _read_exactly(reader: Any, size: int) -> bytes:
    data: bytes = reader.read(size)
    if len(data) < size:
        raise ConnectionError("the client left within its body")
    return data


def _send(
    connection: socket.socket, method: str, reply: Reply, *, close: bool, chunked: bool = True
) -> bool:
    """Send *reply*; says whether the connection may be used again."""
    status, fields, body = reply
    silent = method == "HEAD" or status < 200 or status in (204, 304)
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, '')}"]
    lines += [f"{name}: {value}" for name, value in fields]
    if isinstance(body, bytes):
        if status >= 200 and status not in (204, 304):
            lines.append(f"Content-Length: {len(body)}")
    elif chunked:
        lines.append("Transfer-Encoding: chunked")
    else:
        close = True
    if close:
        lines.append("Connection: close")
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    if silent:
        connection.sendall(head)
    elif not isinstance(body, bytes):
        connection.sendall(head)
        _send_parts(connection, body, chunked)
    elif len(body) <= WHOLE:
        connection.sendall(head + body)
    else:
        connection.sendall(head)
        connection.sendall(body)
    return not close


def _send_parts(connection: socket.socket, parts: Iterator[Any], chunked: bool) -> None:
    for part in parts:
        data = part.encode() if isinstance(part, str) else bytes(part)
        if data:
            connection.sendall(b"%x\r\n%b\r\n" % (len(data), data) if chunked else data)
    if chunked:
        connection.sendall(b"0\r\n\r\n")


if __name__ == "__main__":
    main(sys.argv[1])
