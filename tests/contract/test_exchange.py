"""One exchange over a real socket: what goes out, and what comes of each kind of answer."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from knlite.cli.exchange import Call, exchanged
from knlite.errors import InvalidInput, Unreachable

OK = b"HTTP/1.1 200 OK\r\n"


class Peer:
    """Answers one request with fixed bytes."""

    def __init__(self, listening: socket.socket) -> None:
        self.port: int = listening.getsockname()[1]
        self.request = b""


@contextmanager
def answering(answer: bytes) -> Iterator[Peer]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(5)
        peer = Peer(listening)

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.settimeout(5)
                while b"\r\n\r\n" not in peer.request:
                    peer.request += connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield peer
        finally:
            thread.join()


def test_it_connects_to_the_gateway_and_names_the_services_host() -> None:
    with answering(OK + b"Content-Length: 3\r\n\r\n\x00\xff!") as peer:
        call = Call(
            url="http://web.default.example.org/a?b=c",
            headers=(("Ce-Subject", "für"),),
            body=b"",
            through=f"127.0.0.1:{peer.port}",
        )
        with exchanged(call, 5.0) as reply:
            assert (reply.status, reply.body()) == (200, b"\x00\xff!")
    head = peer.request.decode()
    assert head.startswith("POST /a?b=c HTTP/1.1\r\nHost: web.default.example.org\r\n")
    assert "Ce-Subject: für\r\n" in head
    assert "Content-Length: 0\r\n" in head


def test_names_below_localhost_are_this_machine() -> None:
    with (
        answering(OK + b"Content-Length: 0\r\n\r\n") as peer,
        exchanged(Call(url=f"http://a.b.localhost:{peer.port}/", method="GET"), 5.0) as reply,
    ):
        assert reply.status == 200


def test_the_stages_of_a_cold_start_are_read() -> None:
    timing = b"Server-Timing: queue;dur=0.5, start;dur=12.0, ready;dur=3\r\nContent-Length: 0\r\n"
    with (
        answering(OK + timing + b"\r\n") as peer,
        exchanged(Call(url=f"http://127.0.0.1:{peer.port}"), 5.0) as reply,
    ):
        assert reply.stages() == {"queue": 0.5, "start": 12.0, "ready": 3.0}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"hello\r\n", id="no HTTP"),
        pytest.param(OK + b"Content-Length: 10\r\n\r\nabc", id="cut off"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", id="cut off in a chunk"),
    ],
)
def test_what_is_no_whole_answer_is_said(answer: bytes) -> None:
    def ask(port: int) -> None:
        with exchanged(Call(url=f"http://127.0.0.1:{port}/"), 5.0) as reply:
            reply.body()

    with answering(answer) as peer, pytest.raises(Unreachable, match=f"{peer.port}"):
        ask(peer.port)


@pytest.mark.parametrize("url", ["web", "ftp://x/", "http://", "http://a b/", "http://x:0/"])
def test_what_is_no_url_is_refused(url: str) -> None:
    opened: Callable[[], object] = exchanged(Call(url=url), 5.0).__enter__
    with pytest.raises(InvalidInput, match="no URL"):
        opened()
