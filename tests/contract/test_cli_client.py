"""The verbs' client against servers that end, refuse, or are something else."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from knlite.cli.client import Client
from knlite.errors import KnliteError, NotFound, Unreachable
from knlite.kinds.catalog import info_of
from knlite.kinds.serving.service import Service

KSVC = info_of(Service)


@contextmanager
def answering(answer: bytes) -> Iterator[tuple[Client, list[bytes]]]:
    """A client of a server that gives *answer* to one request and hangs up; the request's head."""
    heads: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += connection.recv(65_536)
                heads.append(head)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield Client(listening.getsockname()[1]), heads
        thread.join()


def http(status: str, body: bytes, *headers: str) -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""])
    return head.encode() + body


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n"], ids=["hangs up", "no HTTP"])
def test_who_does_not_answer_is_unreachable(answer: bytes) -> None:
    with (
        answering(answer) as (client, _),
        pytest.raises(Unreachable, match="no knlite answers") as caught,
    ):
        client.listed(KSVC, "")
    assert caught.value.fix


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found", "502 Bad Gateway"])
def test_another_server_is_told_from_a_knlite(status: str) -> None:
    with (
        answering(http(status, b"<html>nginx</html>")) as (client, _),
        pytest.raises(Unreachable, match="is no knlite"),
    ):
        client.one(KSVC, "default", "hello")


def test_a_refusal_is_told_in_the_servers_words() -> None:
    with (
        answering(http("404 Not Found", b'{"message":"services \\"x\\" not found"}')) as (
            client,
            _,
        ),
        pytest.raises(NotFound, match=r'^services "x" not found$'),
    ):
        client.one(KSVC, "default", "x")


def test_logs_that_are_refused_are_no_lines() -> None:
    with (
        answering(http("401 Unauthorized", b'{"message":"Unauthorized"}')) as (client, _),
        pytest.raises(KnliteError, match=r"^Unauthorized$"),
    ):
        list(client.log_lines("default", "x", follow=False, tail=None))


def test_a_followed_log_ends_with_its_knlite() -> None:
    cut_off = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n"
    with answering(cut_off) as (client, _):
        assert list(client.log_lines("default", "x", follow=True, tail=None)) == ["{}"]


def test_a_name_is_one_step_of_the_path_whatever_it_holds() -> None:
    with answering(http("404 Not Found", b'{"message":"no"}')) as (client, heads):
        with pytest.raises(NotFound):
            client.one(KSVC, "default", "../x?watch=1")
        assert heads[0].startswith(
            b"GET /apis/serving.knative.dev/v1/namespaces/default/services/..%2Fx%3Fwatch%3D1 "
        )
