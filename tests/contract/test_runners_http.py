"""What both Python runners do with HTTP/1.1, whatever the function.

Pins Knative Functions reference §2.1, §3.2 and, for messages on one connection, RFC 9112.
"""

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.contract.runner import PATIENCE, Runner, running

PARLIAMENT = """
def main(context):
    return context.request.get_data()
"""
FUNC = """
async def handle(scope, receive, send):
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            print("left", flush=True)
            return
        body += message["body"]
        more = message["more_body"]
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": body})
"""


@pytest.fixture(scope="module", params=["parliament", "func_python"])
def echo(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runner]:
    folder = tmp_path_factory.mktemp("echo")
    source, more = (PARLIAMENT, ()) if request.param == "parliament" else (FUNC, ("http",))
    (folder / "func.py").write_text(source)
    with running(folder, f"{request.param}_runner", *more) as runner:
        yield runner


def raw(echo: Runner, data: bytes) -> bytes:
    """All that is answered to *data* until the other end closes."""
    with socket.create_connection(("127.0.0.1", echo.port), timeout=PATIENCE) as peer:
        peer.sendall(data)
        answer = b""
        while part := peer.recv(65536):
            answer += part
        return answer


def test_a_connection_serves_one_request_after_the_other(echo: Runner) -> None:
    with closing(echo.connected()) as connection:
        for body in (b"one", b"", b"three"):
            connection.request("POST", "/", body)
            with connection.getresponse() as answer:
                assert (answer.status, answer.read()) == (200, body)


def test_requests_that_are_sent_ahead_are_answered_in_order(echo: Runner) -> None:
    first = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1"
    last = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nConnection: close\r\n\r\n2"
    answers = raw(echo, first + last)
    assert [part[-1:] for part in answers.split(b"HTTP/1.1 200 ")[1:]] == [b"1", b"2"]


def test_a_large_body_passes_both_ways(echo: Runner) -> None:
    body = bytes(range(256)) * 4 * 1024 * 8
    with closing(echo.connected()) as connection:
        connection.request("POST", "/", body)
        with connection.getresponse() as answer:
            assert answer.read() == body


def test_a_body_in_chunks_is_read(echo: Runner) -> None:
    with closing(echo.connected()) as connection:
        connection.request("POST", "/", iter([b"a" * 100_000, b"b"]), encode_chunked=True)
        with connection.getresponse() as answer:
            assert answer.read() == b"a" * 100_000 + b"b"


def test_a_head_has_no_body(echo: Runner) -> None:
    answer = raw(echo, b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"\r\n\r\n")


def test_who_asks_whether_to_go_on_is_told_to(echo: Runner) -> None:
    with socket.create_connection(("127.0.0.1", echo.port), timeout=PATIENCE) as peer:
        peer.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"
            b"Connection: close\r\n\r\n"
        )
        assert peer.recv(65536).startswith(b"HTTP/1.1 100 ")
        peer.sendall(b"ok")
        answer = b""
        while part := peer.recv(65536):
            answer += part
        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.endswith(b"ok")


@pytest.mark.parametrize(
    "head",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
    ],
)
def test_what_is_no_request_is_refused(echo: Runner, head: bytes) -> None:
    assert raw(echo, head)[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 500")
    test_a_head_has_no_body(echo)


def test_one_who_leaves_within_a_body_disturbs_nobody(echo: Runner) -> None:
    with socket.create_connection(("127.0.0.1", echo.port), timeout=PATIENCE) as peer:
        peer.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
    test_a_head_has_no_body(echo)
