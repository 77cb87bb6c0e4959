"""The warm requests of ``knlite bench`` against servers that behave well, and less well."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from knlite.cli.bench.warm import Warm, warm
from knlite.cli.exchange import Call
from knlite.errors import Unreachable


class Server(ThreadingHTTPServer):
    """Answers by the path of a request, and counts."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.requests = self.connections = 0
        self.bodies: set[bytes] = set()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        with self.server.lock:
            self.server.connections += 1
        super().setup()

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length)
        with self.server.lock:
            self.server.requests += 1
            self.server.bodies.add(body)
        if self.path == "/cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
            self.close_connection = True
            return
        if self.path == "/early":
            self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        self.send_response(500 if self.path == "/broken" else 200)
        if self.path == "/once":
            self.send_header("Connection", "close")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def sent(server: Server, path: str, count: int = 40, concurrency: int = 4) -> Warm:
    call = Call(
        url=f"http://web.default.localhost{path}",
        method="GET",
        through=f"127.0.0.1:{server.server_port}",
    )
    return warm(call, count, concurrency, lambda _: None)


def test_every_connection_is_used_again() -> None:
    with serving() as server:
        found = sent(server, "/", 100)
        assert (len(found.latencies), found.failed, found.concurrency) == (100, 0, 4)
        assert server.requests == 100 + 10
        assert server.connections == 4
        assert found.latencies == tuple(sorted(found.latencies))
        assert found.rate == pytest.approx(100 / found.seconds)


def test_one_that_is_closed_is_opened_again() -> None:
    with serving() as server:
        assert sent(server, "/once").failed == 0
        assert server.connections == server.requests == 44


def test_early_hints_are_no_answer() -> None:
    with serving() as server:
        found = sent(server, "/early")
        assert (len(found.latencies), found.failed) == (40, 0)


@pytest.mark.parametrize(("path", "problem"), [("/broken", "status 500"), ("/cut", "closed")])
def test_failures_are_counted_with_the_first_reason(path: str, problem: str) -> None:
    with serving() as server:
        found = sent(server, path)
        assert (found.latencies, found.failed) == ((), 40)
        assert problem in found.problem


def test_data_is_sent_with_every_request() -> None:
    with serving() as server:
        call = Call(url=f"http://127.0.0.1:{server.server_port}/", method="POST", body=b'{"a": 1}')
        assert warm(call, 10, 2, lambda _: None).failed == 0
        assert server.bodies == {b'{"a": 1}'}


def test_nobody_there_is_said() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        call = Call(url=f"http://127.0.0.1:{unused.getsockname()[1]}/", method="GET")
        with pytest.raises(Unreachable, match="does not answer"):
            warm(call, 10, 2, lambda _: None)
