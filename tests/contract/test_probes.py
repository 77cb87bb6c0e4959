"""One attempt of each kind of probe, against programs that answer it (Knative reference §3.7)."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import StreamEnded

from knlite.controlplane.probes import USER_AGENT, attempt
from knlite.kinds.podspec.fields import (
    ExecAction,
    GRPCAction,
    HTTPGetAction,
    HTTPHeader,
    TCPSocketAction,
)
from knlite.runtime.port import ExecResult, Exit, Usage
from knlite.serving.instance import Address
from knlite.serving.probing import Action, ProbeSpec, Role

pytestmark = pytest.mark.anyio

LOCAL = "127.0.0.1"


class Instance:
    """Something that listens at *port* and runs commands."""

    label = "test"
    origin = "spawned"

    def __init__(self, port: int, result: ExecResult = ExecResult(0, "")) -> None:  # noqa: B008
        self.address = Address(LOCAL, port)
        self.result = result
        self.commands: list[tuple[str, ...]] = []

    async def exec(self, container: str, command: Sequence[str], seconds: float) -> ExecResult:
        self.commands.append((container, *command))
        return self.result

    async def wait(self) -> Exit:
        raise NotImplementedError

    async def stop(self, grace: float) -> None:
        raise NotImplementedError

    async def usage(self) -> Usage | None:
        raise NotImplementedError

    async def listening(self) -> tuple[Address, ...] | None:
        raise NotImplementedError


def probe(action: Action, role: Role = "Readiness", port: int = 0) -> ProbeSpec:
    return ProbeSpec(role=role, container="user-container", action=action, port=port, timeout=2.0)


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(handle, LOCAL, 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


def answering(text: bytes, heads: list[bytes] | None = None) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if heads is not None:
            heads.append(head)
        writer.write(text)
        await writer.drain()

    return handle


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def free_port() -> int:
    async with serving(silent) as port:
        pass
    return port


@pytest.mark.parametrize(
    ("status", "why"),
    [
        pytest.param(200, "", id="fine"),
        pytest.param(302, "", id="elsewhere"),
        pytest.param(399, "", id="the last that is fine"),
        pytest.param(404, "HTTP probe failed with statuscode: 404", id="unknown"),
        pytest.param(503, "HTTP probe failed with statuscode: 503", id="not yet"),
    ],
)
async def test_http_passes_with_a_status_from_200_to_399(status: int, why: str) -> None:
    async with serving(answering(b"HTTP/1.1 %d X\r\n\r\n" % status)) as port:
        assert await attempt(probe(HTTPGetAction(path="/")), Instance(port)) == why


async def test_http_keeps_path_query_and_headers_and_says_who_asks() -> None:
    heads: list[bytes] = []
    get = HTTPGetAction(
        path="query?probe=ok",
        host="shop.example",
        http_headers=(
            HTTPHeader(name="X-Token", value="a b"),
            HTTPHeader(name="X-Bad", value="a\r\nX-Evil: 1"),
        ),
    )
    async with serving(answering(b"HTTP/1.1 204 No\r\n\r\n", heads)) as port:
        assert await attempt(probe(get), Instance(port)) == ""
    lines = heads[0].decode().split("\r\n")
    assert lines[0] == "GET /query?probe=ok HTTP/1.1"
    assert "host: shop.example" in lines
    assert f"user-agent: {USER_AGENT}" in lines
    assert "x-token: a b" in lines
    assert "X-Evil: 1" not in lines


async def test_http_waits_for_the_answer_that_follows_an_interim_one() -> None:
    text = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"
    async with serving(answering(text)) as port:
        assert await attempt(probe(HTTPGetAction(path="/")), Instance(port)) == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param(b"", "HTTP probe failed: endofstream", id="nothing"),
        pytest.param(b"hello\r\n\r\n", "HTTP probe failed: the answer is not HTTP", id="other"),
    ],
)
async def test_http_says_what_was_no_answer(text: bytes, why: str) -> None:
    async with serving(answering(text)) as port:
        assert await attempt(probe(HTTPGetAction(path="/")), Instance(port)) == why


async def test_what_does_not_answer_in_time_has_failed() -> None:
    late = ProbeSpec(role="Liveness", container="c", action=HTTPGetAction(path="/"), timeout=0.05)
    async with serving(silent) as port:
        assert await attempt(late, Instance(port)) == "no answer within 0.05 s"


async def test_https_takes_any_certificate(tmp_path: Path) -> None:
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    words = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {cert} -subj /CN=x"
    made = await asyncio.to_thread(subprocess.run, words.split(), capture_output=True, check=False)
    if made.returncode:
        pytest.skip("openssl cannot make a certificate here")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)
    async with serving(answering(b"HTTP/1.1 200 OK\r\n\r\n"), tls) as port:
        get = HTTPGetAction(path="/", scheme="HTTPS")
        assert await attempt(probe(get), Instance(port)) == ""


async def test_tcp_passes_when_it_connects() -> None:
    async with serving(silent) as port:
        assert await attempt(probe(TCPSocketAction()), Instance(port)) == ""
    refused = await attempt(probe(TCPSocketAction()), Instance(port))
    assert refused == f"dial tcp {LOCAL}:{port}: connection refused"


async def test_another_port_is_asked_where_the_probe_says_so() -> None:
    async with serving(silent) as other:
        instance = Instance(await free_port())
        assert await attempt(probe(TCPSocketAction(), port=other), instance) == ""


@pytest.mark.parametrize(
    ("result", "why"),
    [
        pytest.param(ExecResult(0, "noise"), "", id="passes"),
        pytest.param(ExecResult(1, "no such file\n"), "no such file", id="says why"),
        pytest.param(ExecResult(3, ""), "command exited with code 3", id="says nothing"),
        pytest.param(ExecResult(None, "x"), "command timed out after 2 s", id="hangs"),
    ],
)
async def test_a_command_passes_with_code_0(result: ExecResult, why: str) -> None:
    instance = Instance(0, result)
    live = probe(ExecAction(command=("cat", "/tmp/ok")), "Liveness")
    assert await attempt(live, instance) == why
    assert instance.commands == [("user-container", "cat", "/tmp/ok")]


async def test_readiness_by_a_command_also_needs_somebody_who_listens() -> None:
    ready = probe(ExecAction(command=("true",)))
    instance = Instance(await free_port())
    assert "connection refused" in await attempt(ready, instance)
    assert instance.commands == []
    async with serving(silent) as port:
        assert await attempt(ready, Instance(port)) == ""


@asynccontextmanager
async def health_service(statuses: dict[str, int]) -> AsyncIterator[int]:
    """A server of gRPC's own library; statuses by service."""

    async def check(request: bytes, context: grpc.aio.ServicerContext) -> bytes:
        name = request[2:].decode()
        if name not in statuses:
            await context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        status = statuses[name]
        return bytes((0x08, status)) if status else b""

    server = grpc.aio.server()
    if statuses:
        handlers = {"Check": grpc.unary_unary_rpc_method_handler(check)}
        generic = grpc.method_handlers_generic_handler("grpc.health.v1.Health", handlers)
        server.add_generic_rpc_handlers((generic,))
    port = server.add_insecure_port(f"{LOCAL}:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


@pytest.mark.parametrize(
    ("service", "why"),
    [
        pytest.param(None, "", id="the whole server"),
        pytest.param("", "", id="the same, spelled out"),
        pytest.param("shop", 'service unhealthy (responded with "NOT_SERVING")', id="unwell"),
        pytest.param("new", 'service unhealthy (responded with "UNKNOWN")', id="no status"),
        pytest.param("s" * 300, "", id="a long name"),
    ],
)
async def test_grpc_passes_when_the_health_service_says_serving(
    service: str | None, why: str
) -> None:
    # The long name takes two bytes for its length, so the service sees one of them as text.
    statuses = {"": 1, "shop": 2, "new": 0, "\x02" + "s" * 300: 1}
    async with health_service(statuses) as port:
        assert await attempt(probe(GRPCAction(service=service)), Instance(port)) == why


async def test_grpc_says_why_there_is_no_status() -> None:
    async with health_service({"": 1}) as port:
        why = await attempt(probe(GRPCAction(service="other")), Instance(port))
        assert why == f'error: health rpc failed at "{LOCAL}:{port}": unknown service'
    async with health_service({}) as port:
        why = await attempt(probe(GRPCAction()), Instance(port))
        assert "does not implement the grpc health protocol" in why
    async with serving(answering(b"HTTP/1.1 400 Bad\r\n\r\n")) as port:
        assert await attempt(probe(GRPCAction()), Instance(port)) != ""
    assert "connection refused" in await attempt(probe(GRPCAction()), Instance(port))


async def test_grpc_reads_words_that_are_not_text() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        h2 = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        h2.initiate_connection()
        headers = [(b":status", b"200"), (b"grpc-status", b"14"), (b"grpc-message", b"\xffgone")]
        asked = False
        while not asked:
            for event in h2.receive_data(await reader.read(65536)):
                if isinstance(event, StreamEnded):
                    h2.send_headers(event.stream_id or 0, headers, end_stream=True)
                    asked = True
            writer.write(h2.data_to_send())
            await writer.drain()

    async with serving(handle) as port:
        why = await attempt(probe(GRPCAction()), Instance(port))
    assert why == f'error: health rpc failed at "{LOCAL}:{port}": �gone'


@pytest.mark.parametrize("port", [70_000, -1])
async def test_a_port_that_cannot_be_is_said_to_be_one(port: int) -> None:
    why = await attempt(probe(TCPSocketAction(), port=port), Instance(80))
    assert why == f"invalid port number: {port}"


async def test_a_host_cannot_add_lines_to_the_request() -> None:
    heads: list[bytes] = []
    get = HTTPGetAction(path="/", host="shop\r\nX-Evil: 1")
    async with serving(answering(b"HTTP/1.1 204 No\r\n\r\n", heads)) as port:
        assert await attempt(probe(get), Instance(port)) == ""
    assert f"host: {LOCAL}:{port}" in heads[0].decode().split("\r\n")
    assert b"Evil" not in heads[0]
