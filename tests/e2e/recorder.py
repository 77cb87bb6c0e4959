"""Sinks that record the events they get and answer as a script says.

The stand-in for the ``eventshub`` Pods of Knative Eventing's own end-to-end tests: all sinks are
paths of one server in the process of the tests.
"""

import json
import ssl
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.e2e.executable import PATIENCE, wait_until

STRUCTURED = "application/cloudevents+json"
CONFLICT = 409
"""What eventshub answers for an event that it drops."""


@dataclass(frozen=True, slots=True)
class Event:
    """A CloudEvent: attributes and extensions as text, ``datacontenttype`` among them."""

    attributes: Mapping[str, str]
    data: bytes = b""

    @property
    def id(self) -> str:
        return self.attributes["id"]

    @property
    def type(self) -> str:
        return self.attributes["type"]

    @property
    def source(self) -> str:
        return self.attributes["source"]

    def binary(self) -> dict[str, str]:
        """Its headers in binary mode."""
        headers = {
            f"ce-{name}": value
            for name, value in self.attributes.items()
            if name != "datacontenttype"
        }
        if "datacontenttype" in self.attributes:
            headers["content-type"] = self.attributes["datacontenttype"]
        return headers


@dataclass(frozen=True, slots=True)
class Received:
    """A request that came to a sink, and how it was answered."""

    at: float
    event: Event
    headers: Mapping[str, str]
    """By their names in lower case."""
    status: int

    @property
    def taken(self) -> bool:
        return self.status < 300


@dataclass(frozen=True, slots=True)
class Answer:
    """What a sink says."""

    status: int = 202
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    after: float = 0.0
    """Seconds that it takes."""


Script = Callable[[int, Event], Answer]
"""From how many requests have come, this one included, and its event."""


def takes(_: int, __: Event) -> Answer:
    """Takes everything and says nothing."""
    return Answer()


def drops_first(
    count: int, status: int = CONFLICT, body: bytes = b"", then: Script = takes
) -> Script:
    """Refuses so many requests, and then does as *then*."""
    return lambda number, event: Answer(status, body) if number <= count else then(number, event)


def fibonacci(number: int, _: Event) -> Answer:
    """Takes those requests whose number is one of Fibonacci's, and refuses all between them."""
    before, this = 1, 1
    while this < number:
        before, this = this, before + this
    return Answer() if this == number else Answer(CONFLICT)


def replies(event_type: str, source: str, data: bytes = b"") -> Script:
    """Answers with the event, its type, source and data replaced."""

    def script(_: int, event: Event) -> Answer:
        changed = {"type": event_type, "source": source, "datacontenttype": "application/json"}
        reply = Event({**event.attributes, **changed}, data)
        return Answer(200, data, reply.binary())

    return script


def appends(text: str) -> Script:
    """Answers with the event, *text* added to its data."""
    return lambda _, event: Answer(200, event.data + text.encode(), event.binary())


def slow(seconds: float) -> Script:
    """Takes everything, after a while."""
    return lambda _, __: Answer(after=seconds)


@contextmanager
def held() -> Iterator[Script]:
    """Answers nothing as long as it lasts, and then takes everything."""
    gate = threading.Event()

    def script(_: int, __: Event) -> Answer:
        gate.wait(PATIENCE)
        return Answer()

    try:
        yield script
    finally:
        gate.set()


class Sink:
    """What has come to one path."""

    def __init__(self, url: str, script: Script) -> None:
        self.url = url
        self.script = script
        self.received: list[Received] = []
        self._lock = threading.Lock()

    @property
    def taken(self) -> list[Received]:
        """The requests that it did not refuse."""
        return [each for each in tuple(self.received) if each.taken]

    @property
    def ids(self) -> list[str]:
        """Of the events that it took."""
        return [each.event.id for each in self.taken]

    @property
    def pattern(self) -> list[bool]:
        """Of each request whether it took it, in the order in which they came."""
        return [each.taken for each in tuple(self.received)]

    def of_type(self, event_type: str) -> list[Received]:
        """The events of that type that it took."""
        return [each for each in self.taken if each.event.type == event_type]

    def until(self, count: int = 1) -> list[Received]:
        """Wait until it has taken so many events."""
        wait_until(lambda: len(self.taken) >= count, f"{count} events at {self.url}")
        return self.taken

    def until_type(self, event_type: str) -> Received:
        """Wait for an event of that type."""
        wait_until(lambda: self.of_type(event_type), f"{event_type} at {self.url}")
        return self.of_type(event_type)[0]

    def answer(self, event: Event, headers: Mapping[str, str]) -> Answer:
        """Note the request and say how to answer it."""
        with self._lock:
            answer = self.script(len(self.received) + 1, event)
            self.received.append(Received(time.monotonic(), event, headers, answer.status))
        return answer


class Recorder(ThreadingHTTPServer):
    """The server of all sinks."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        """With *tls* sinks have URLs with ``https`` and the host ``localhost``."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self._sinks: dict[str, Sink] = {}
        self._tls = tls
        """Shakes hands in the thread of a connection, so that none holds up the others."""

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self._tls is None:
            super().finish_request(request, client_address)
            return
        with self._tls.wrap_socket(request, server_side=True) as encrypted:
            super().finish_request(encrypted, client_address)

    def sink(self, script: Script = takes) -> Sink:
        """A new one."""
        path = f"/sink-{len(self._sinks)}"
        server = "http://127.0.0.1" if self._tls is None else "https://localhost"
        sink = Sink(f"{server}:{self.server_address[1]}{path}", script)
        self._sinks[path] = sink
        return sink

    def at(self, path: str) -> Sink | None:
        return self._sinks.get(path)

    def handle_error(self, *_: object) -> None:
        """Who does not wait for an answer has reasons."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Recorder

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        sink = self.server.at(self.path)
        answer = Answer(404) if sink is None else sink.answer(read(headers, body), headers)
        if answer.after:
            time.sleep(answer.after)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_: object) -> None:
        """Nothing of every request."""


def read(headers: Mapping[str, str], body: bytes) -> Event:
    """The event of a request or an answer, in either mode."""
    content_type = headers.get("content-type", "")
    if content_type.startswith(STRUCTURED):
        members: dict[str, Any] = json.loads(body)
        encoded, plain = members.pop("data_base64", None), members.pop("data", None)
        data = b"" if plain is None else json.dumps(plain).encode()
        attributes = {name: str(value) for name, value in members.items()}
        return Event(attributes, b64decode(encoded) if encoded else data)
    attributes = {
        name.removeprefix("ce-"): value for name, value in headers.items() if name[:3] == "ce-"
    }
    if content_type:
        attributes["datacontenttype"] = content_type
    return Event(attributes, body)


@contextmanager
def recording(tls: ssl.SSLContext | None = None) -> Iterator[Recorder]:
    """A recorder at work."""
    with Recorder(tls) as recorder:
        thread = threading.Thread(target=recorder.serve_forever)
        thread.start()
        try:
            yield recorder
        finally:
            recorder.shutdown()
            thread.join()
