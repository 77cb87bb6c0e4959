"""Serves a ``def main(context)`` function on ``$PORT``, as the ``parliament`` package would.

Runs with the function's interpreter, so it may use the standard library only and loads little of
it: a start takes hardly longer than the interpreter's own. It stands in for ``parliament`` (which
ignores ``PORT`` and does not import with current packages) and gives the same answers. Libraries
of the function's environment are used where a function could tell the difference: events are
``cloudevents.http.CloudEvent`` when that is installed, and what ``Request`` lacks is taken from
``flask.Request``.

Usage: ``python parliament_runner.py FOLDER``, with ``knlite_loading.py`` and ``knlite_streams.py``
beside it.

Source: Knative Functions reference Part 2; boson-project/parliament 0.1.0.
Differs: a thread for each connection instead of four, since Knative's queue-proxy bounds
concurrency; plain error pages instead of Flask's HTML; ``main`` may be ``async``.
"""

from __future__ import annotations

import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping

# Each import here is part of every cold start. json, urllib.parse and typing (which load re) cost
# as much as everything else together, so they are loaded where they are needed.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from knlite.functions.runners import knlite_loading as loading
    from knlite.functions.runners.knlite_loading import Function
    from knlite.functions.runners.knlite_streams import Streams
else:
    import knlite_loading as loading

BODY_METHODS = ("POST",)
HEALTH = ("/health/liveness", "/health/readiness")
HTML = "text/html; charset=utf-8"
HEAD_LIMIT = 64 * 1024
EXAMPLE = "def main(context): return 'Hello', 200"
ANSWERS = "return text, bytes, a dict, a list, (body, status) or (body, status, headers)"
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

Fields = list[tuple[str, str]]
Reply = tuple[int, Fields, "bytes | Iterator[Any]"]
"""Status, headers and body; a body in parts is sent as they come."""


class Headers(Mapping[str, str]):
    """Request headers, looked up without regard to case."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._values: dict[str, str] = {}
        for name, value in fields:
            key = name.lower()
            self._values[key] = f"{self._values[key]},{value}" if key in self._values else value

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return (name.title() for name in self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values


class MultiDict(dict[str, str]):
    """First value of each key as a dict, all of them by ``getlist``: query and form fields."""

    def __init__(self, pairs: Fields) -> None:
        super().__init__()
        self._lists: dict[str, list[str]] = {}
        for key, value in pairs:
            self.setdefault(key, value)
            self._lists.setdefault(key, []).append(value)

    def get(self, key: str, default: Any = None, type: Any = None) -> Any:  # noqa: A002
        """As Flask's: *type* converts, and what it cannot convert is *default*."""
        if key not in self:
            return default
        if type is None:
            return self[key]
        try:
            return type(self[key])
        except (ValueError, TypeError):
            return default

    def getlist(self, key: str) -> list[str]:
        """All values of *key*."""
        return list(self._lists.get(key, ()))

    def to_dict(self, flat: bool = True) -> dict[str, Any]:
        """A plain dict of first values, or of lists."""
        return dict(self) if flat else {key: list(values) for key, values in self._lists.items()}


class Request:
    """What functions read of a ``flask.Request``; anything else comes from Flask if installed."""

    def __init__(self, method: str, target: str, fields: Fields, data: bytes) -> None:
        self.method = method
        path, _, query = target.partition("?")
        self.path = _unquote(path)
        self.query_string = query.encode("latin-1")
        self.headers = Headers(fields)
        self.data = data
        self._target = target
        self._flask: Any = None

    @property
    def args(self) -> MultiDict:
        """Query parameters."""
        return _pairs(self.query_string.decode("latin-1"))

    @property
    def form(self) -> Any:
        """Form fields; multipart forms need Flask."""
        if self.mimetype == "multipart/form-data":
            return self._full().form
        if self.mimetype != "application/x-www-form-urlencoded":
            return MultiDict([])
        return _pairs(self.data.decode("utf-8", "replace"))

    @property
    def content_type(self) -> str | None:
        """The Content-Type header."""
        return self.headers.get("content-type")

    @property
    def mimetype(self) -> str:
        """The Content-Type without parameters."""
        return (self.content_type or "").partition(";")[0].strip().lower()

    @property
    def content_length(self) -> int | None:
        """The length that the client declared."""
        length = self.headers.get("content-length")
        return int(length) if length is not None else None

    @property
    def is_json(self) -> bool:
        """Whether the Content-Type is JSON."""
        kind = self.mimetype
        return kind == "application/json" or (
            kind.startswith("application/") and kind.endswith("+json")
        )

    @property
    def json(self) -> Any:
        """The body as JSON; 415 for another Content-Type."""
        return self.get_json()

    @property
    def host(self) -> str:
        """The Host header."""
        return self.headers.get("host", "localhost")

    @property
    def scheme(self) -> str:
        """Always http: the gateway ends TLS."""
        return "http"

    @property
    def full_path(self) -> str:
        """Path, question mark and query."""
        return f"{self.path}?{self.query_string.decode('latin-1')}"

    @property
    def base_url(self) -> str:
        """The URL without its query."""
        return f"http://{self.host}{self._target.partition('?')[0]}"

    @property
    def url(self) -> str:
        """The whole URL."""
        return f"http://{self.host}{self._target}"

    @property
    def host_url(self) -> str:
        """Scheme and host."""
        return f"http://{self.host}/"

    @property
    def cookies(self) -> dict[str, str]:
        """Cookies by name."""
        pairs = (part.strip().partition("=") for part in self.headers.get("cookie", "").split(";"))
        return {name: value for name, _, value in pairs if name}

    def get_data(
        self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False
    ) -> Any:
        """The body, as bytes or as text."""
        return self.data.decode("utf-8", "replace") if as_text else self.data

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """The body as JSON, or None with *silent*."""
        if not (force or self.is_json):
            if silent:
                return None
            raise ValueError("415 Unsupported Media Type: the Content-Type is not application/json")
        import json

        try:
            return json.loads(self.data)
        except ValueError:
            if silent:
                return None
            raise

    def __repr__(self) -> str:
        return f"<Request {self.url!r} [{self.method}]>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._full(), name)

    def _full(self) -> Any:
        if self._flask is None:
            self._flask = _flask_request(self)
        return self._flask


class Event:
    """A CloudEvent with the interface of ``cloudevents.http.CloudEvent``, where that is absent."""

    def __init__(self, attributes: Mapping[str, str], data: Any = None) -> None:
        self._attributes = {"specversion": "1.0"}
        self._attributes.update({key.lower(): value for key, value in attributes.items()})
        if "id" not in self._attributes:
            import uuid

            self._attributes["id"] = str(uuid.uuid4())
        if "time" not in self._attributes:
            import datetime

            now = datetime.datetime.now(datetime.timezone.utc)  # noqa: TID251, UP017
            self._attributes["time"] = now.isoformat()
        self.data = data

    def __getitem__(self, name: str) -> str:
        return self._attributes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._attributes)

    def __len__(self) -> int:
        return len(self._attributes)

    def __contains__(self, name: object) -> bool:
        return name in self._attributes

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute, or *default*."""
        return self._attributes.get(name, default)

    def get_attributes(self) -> Mapping[str, str]:
        """All attributes."""
        return dict(self._attributes)

    def get_data(self) -> Any:
        """The data."""
        return self.data


class Context(Mapping[str, object]):
    """What ``main`` receives; also a mapping of those of its members that are not None."""

    def __init__(self, request: Any) -> None:
        self.request = request
        self.cloud_event: Any = None

    def __getitem__(self, key: str) -> object:
        return self._present()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._present())

    def __len__(self) -> int:
        return len(self._present())

    def _present(self) -> dict[str, object]:
        members = {"request": self.request, "cloud_event": self.cloud_event}
        return {key: value for key, value in members.items() if value is not None}


def event(
    function: Any = None,
    *,
    event_type: str = "parliament.response",
    event_source: str = "/parliament/function",
) -> Any:
    """Decorates ``main``: what it returns becomes the data of a new event."""

    def decorate(inner: Callable[[Context], Any]) -> Callable[[Context], Any]:
        def main(context: Context) -> Any:
            result = inner(context)
            return waiting(result) if loading.is_awaitable(result) else evented(result)

        async def waiting(result: Any) -> Any:
            return evented(await result)

        def evented(result: Any) -> Any:
            if _is_event(result):
                return result
            return _event_class()({"type": event_type, "source": event_source}, result)

        return main

    return decorate if function is None else decorate(function)


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
        try:
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._converse, args=(connection,), daemon=True).start()
        except SystemExit:
            # A second signal must not break the drain; SIGKILL ends it at the end of the grace.
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
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
            context.cloud_event = _read_event(request)
        try:
            result = _within_flask(request, context, self._call)
        except (Exception, SystemExit) as error:  # noqa: BLE001  What it raises is its answer.
            trace = self._function.raised(error)
            said = f"Function raised {error}".encode()
            return 500, [("Content-Type", HTML)], trace or said
        try:
            return _reply(result)
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


def warm() -> None:
    """Make ahead what the first request needs, in a process that instances are forked from."""
    if "flask" in sys.modules:
        _flask_app()


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
        while size := int(reader.readline().partition(b";")[0], 16):
            chunks.append(_read_exactly(reader, size))
            reader.readline()
        while reader.readline().rstrip(b"\r\n"):
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


def _reply(result: Any) -> Reply:
    """Anything that a Flask view may return, or an event, as an answer."""
    if _is_event(result):
        return _event_reply(result)
    status = 200
    fields: Fields = []
    if isinstance(result, tuple):
        result, status, fields = _take_apart(result)
    if hasattr(result, "get_wsgi_headers") and hasattr(result, "status_code"):  # flask.Response
        own = [(str(k), str(v)) for k, v in result.headers if k.lower() != "content-length"]
        status = result.status_code if status == 200 else status
        parts = getattr(result, "is_streamed", False)
        body = result.iter_encoded() if parts else bytes(result.get_data())
        return _possible(status), own + fields, body
    if result is None:
        raise TypeError("main() returned None; for an empty answer return ('', 204)")
    kind = HTML
    if isinstance(result, (dict, list)):
        import json

        body, kind = json.dumps(result).encode() + b"\n", "application/json"
    elif isinstance(result, str):
        body = result.encode()
    elif isinstance(result, (bytes, bytearray)):
        body = bytes(result)
    elif isinstance(result, Iterator):
        body = result
    else:
        raise TypeError(f"main() returned {loading.a(result)}; {ANSWERS}")
    if not any(name.lower() == "content-type" for name, _ in fields):
        fields = [("Content-Type", kind), *fields]
    return _possible(status), [f for f in fields if f[0].lower() != "content-length"], body


def _possible(status: int) -> int:
    if not 100 <= status <= 999:
        raise ValueError(f"main() returned the status {status}; it has to have three digits")
    return status


def _take_apart(result: tuple[Any, ...]) -> tuple[Any, int, Fields]:
    if len(result) == 3:
        body, status, headers = result
    elif len(result) == 2 and isinstance(result[1], (int, str)):
        (body, status), headers = result, None
    elif len(result) == 2:
        (body, headers), status = result, 200
    else:
        raise TypeError(f"main() returned a tuple of {len(result)}; {ANSWERS}")
    number = int(str(status).partition(" ")[0]) if status is not None else 200
    if headers is None:
        return body, number, []
    pairs = headers.items() if hasattr(headers, "items") else headers
    fields: Fields = []
    for name, value in pairs:
        for one in value if isinstance(value, (list, tuple)) else (value,):
            if "\r" in f"{name}{one}" or "\n" in f"{name}{one}":
                raise ValueError("a header contains a line end")
            fields.append((str(name), str(one)))
    return body, number, fields


def _is_event(value: Any) -> bool:
    if isinstance(value, Event):
        return True
    library = sys.modules.get("cloudevents.http")
    return library is not None and isinstance(value, library.CloudEvent)


def _event_class() -> Any:
    library = _cloudevents()
    return Event if library is None else library.CloudEvent


def _cloudevents() -> Any:
    """``cloudevents.http`` 1.x if the function's environment has it."""
    try:
        import cloudevents.http  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except ImportError:
        return None
    return cloudevents.http


def _event_reply(reply: Any) -> Reply:
    attributes = dict(reply.get_attributes())
    body = reply.data
    if body is None:
        raise TypeError("the event that the function returned has no data")
    if not isinstance(body, (bytes, bytearray)):
        import json

        body = json.dumps(body).encode()
    kind = attributes.pop("datacontenttype", None) or HTML
    fields = [(f"Ce-{name.title()}", _quote(str(value))) for name, value in attributes.items()]
    return 200, [*sorted(fields), ("Content-Type", kind)], bytes(body)


def _quote(value: str) -> str:
    """Percent-encoded where a header cannot carry it (CloudEvents HTTP binding 3.1.3.2)."""
    return "".join(
        one if " " <= one <= "~" else "".join(f"%{byte:02X}" for byte in one.encode())
        for one in value
    )


def _read_event(request: Request) -> Any:
    """The event in *request*, or None."""
    headers = request.headers
    structured = request.mimetype.startswith("application/cloudevents")
    if not structured and "ce-specversion" not in headers:
        return None
    library = _cloudevents()
    try:
        if library is not None:
            lower = {name.lower(): value for name, value in headers.items()}
            return library.from_http(lower, request.data)
        return _decode_structured(request) if structured else _decode_binary(request)
    except Exception as error:  # noqa: BLE001  A request without a readable event is a plain one.
        print(f"No CloudEvent available: {error}", file=sys.stderr)  # noqa: T201
        return None


def _decode_binary(request: Request) -> Event:
    attributes = {
        name[3:].lower(): _unquote(value)
        for name, value in request.headers.items()
        if name.lower().startswith("ce-")
    }
    if request.content_type:
        attributes["datacontenttype"] = request.content_type
    return _checked(attributes, _data(request.data))


def _decode_structured(request: Request) -> Event:
    import json

    attributes = json.loads(request.data)
    data = attributes.pop("data", None)
    encoded = attributes.pop("data_base64", None)
    if encoded is not None:
        import base64

        data = _data(base64.b64decode(encoded))
    return _checked(attributes, data)


def _checked(attributes: dict[str, str], data: Any) -> Event:
    missing = {"id", "source", "type", "specversion"} - attributes.keys()
    if missing:
        raise ValueError(f"missing {', '.join(sorted(missing))}")
    return Event(attributes, data)


def _data(body: bytes) -> Any:
    if not body:
        return None
    import json

    try:
        return json.loads(body)
    except ValueError:
        return body


def _unquote(text: str) -> str:
    if "%" not in text:
        return text.encode("latin-1").decode("utf-8", "replace")
    from urllib.parse import unquote_to_bytes

    return unquote_to_bytes(text.encode("latin-1")).decode("utf-8", "replace")


def _pairs(text: str) -> MultiDict:
    if not text:
        return MultiDict([])
    from urllib.parse import parse_qsl

    return MultiDict(parse_qsl(text, keep_blank_values=True))


def _within_flask(request: Request, context: Context, function: Callable[[Context], Any]) -> Any:
    """Call *function*; if it has loaded Flask, with Flask's request and its contexts."""
    if "flask" not in sys.modules:
        return function(context)
    with _flask_app().request_context(_environ(request)):
        import flask  # type: ignore[import-not-found,unused-ignore]

        context.request = flask.request._get_current_object()
        return function(context)


_APP: list[Any] = []


def _flask_app() -> Any:
    if not _APP:
        import flask

        _APP.append(flask.Flask("function"))
    return _APP[0]


def _flask_request(request: Request) -> Any:
    try:
        import flask
    except ImportError:
        raise AttributeError(
            "this part of flask.Request needs Flask: add flask to requirements.txt"
        ) from None
    return flask.Request(_environ(request))


def _environ(request: Request) -> dict[str, Any]:
    import io

    host, _, port = request.host.partition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path.encode().decode("latin-1"),
        "QUERY_STRING": request.query_string.decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": port or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(request.data)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.data),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if request.content_type:
        environ["CONTENT_TYPE"] = request.content_type
    for name, value in request.headers.items():
        if name.lower() not in ("content-type", "content-length"):
            environ["HTTP_" + name.upper().replace("-", "_")] = value
    return environ


if __name__ == "__main__":
    main(sys.argv[1])
