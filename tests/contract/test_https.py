"""HTTPS on real sockets with real clients (Knative reference §1.13, §5.6, §5.7; ADR 0021)."""

import asyncio
import os
import random
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import h2.config
import h2.connection
import h2.events
import httpx
import pytest
import trustme

from knlite.clock import SystemClock
from knlite.dataplane.activator import Activator
from knlite.dataplane.certificates import examined
from knlite.dataplane.eventingress import EventIngress
from knlite.dataplane.gateway import Gateway
from knlite.dataplane.https import Https
from knlite.dataplane.wire.limits import Limits
from knlite.errors import Conflict
from knlite.facts import CertificateDoubted, Fact, Notice
from knlite.kinds.serving.ingress import Ingress, IngressSpec, IngressTLS, Rule, Split
from knlite.serving.certificates import Certificate, Unusable
from knlite.serving.instance import Address, Endpoint, RevisionName, RevisionSettings, Sample
from knlite.serving.routingtable import routing_table
from tests.contract.gateway import until

pytestmark = pytest.mark.anyio

WEB = RevisionName("default", "web-00001")
APP, SHOP = "app.example.org", "shop.example.org"
PATIENCE = 10.0


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, object]]:
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> "AsyncIterator[None] | object":
    """Whatever clients do, the loop has nothing to say about it."""
    yield
    assert not [record.getMessage() for record in caplog.records]


def certificate(
    authority: trustme.CA, host: str, *names: str, expired: bool = False
) -> Certificate:
    """One for *host*, in the name of *names*."""
    ends = datetime.now(UTC) + timedelta(days=-1 if expired else 1)
    begins = ends - timedelta(days=2)
    leaf = authority.issue_cert(*(names or (host,)), not_before=begins, not_after=ends)
    chain = b"".join(each.bytes() for each in leaf.cert_chain_pems)
    key = leaf.private_key_pem.bytes()
    return Certificate(namespace="default", secret="cert", host=host, chain=chain, key=key)


class Secure:
    """A gateway's HTTPS port, its instance, and what was judged."""

    def __init__(self, activator: Activator, facts: list[Fact], authority: trustme.CA) -> None:
        self.activator = activator
        self.facts = facts
        self.judged: Mapping[Certificate, Unusable | None] = {}
        self.https: Https
        self.port = 0
        self.plain = 0
        self.taken = False
        self.seen: list[bytes] = []
        self.client = ssl.create_default_context()
        authority.configure_trust(self.client)

    def demand(self, revision: RevisionName, sample: Sample) -> None: ...

    def waiting(self, revision: RevisionName) -> None: ...

    def certificates_judged(self, judged: Mapping[Certificate, Unusable | None]) -> None:
        self.judged = judged

    def listen(self) -> Sequence[socket.socket]:
        if self.taken:
            raise Conflict("cannot listen", cause="it is in use", fix="choose another")
        listening = socket.create_server(("127.0.0.1", self.port))
        listening.setblocking(False)
        self.port = listening.getsockname()[1]
        return [listening]

    async def have(self, *certificates: Certificate) -> None:
        """These are the certificates now."""
        self.https.certificates_changed(certificates)
        await until(lambda: set(self.judged) == set(certificates))

    async def presented(self, name: str | None) -> bytes:
        """The certificate in DER that a client gets who asks for *name*."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

        def shake() -> bytes:
            with (
                socket.create_connection(("127.0.0.1", self.port), PATIENCE) as raw,
                context.wrap_socket(raw, server_hostname=name) as secured,
            ):
                found = secured.getpeercert(binary_form=True)
                assert found is not None
                return found

        return await anyio.to_thread.run_sync(shake)

    async def open(
        self, name: str = APP, *protocols: str
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection of TLS to *name*."""
        if protocols:
            self.client.set_alpn_protocols(list(protocols))
        return await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=self.client, server_hostname=name
        )

    async def get(self, path: str = "/", host: str = APP) -> bytes:
        """What one request on a connection of its own gets."""
        reader, writer = await self.open(host)
        head = f"GET {path} HTTP/1.1\r\nHost: {host}:{self.port}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        try:
            return await asyncio.wait_for(reader.read(), PATIENCE)
        finally:
            writer.transport.abort()


@asynccontextmanager
async def secure(
    authority: trustme.CA, limits: Limits | None = None, *, redirected: bool = False
) -> AsyncIterator[Secure]:
    """A gateway with a mapped domain of one revision, whose instance echoes."""
    clock, facts, draw = SystemClock(), list[Fact](), random.Random(1)
    activator = Activator(clock, facts.append, draw)
    found = Secure(activator, facts, authority)
    activator.report_to(found)
    activator.settings_changed(WEB, RevisionSettings(service="web"))
    gateway = Gateway(
        activator, EventIngress(clock, facts.append, {}), draw, limits, 8443, complain=print
    )
    found.https = Https(gateway.secure.handle, found.listen, found, clock, facts.append, limits)
    gateway.routes_changed(table(redirected), ())
    plain = socket.create_server(("127.0.0.1", 0))
    plain.setblocking(False)
    found.plain = plain.getsockname()[1]
    instance = await asyncio.start_server(echo(found.seen), "127.0.0.1", 0)
    address = Address(*instance.sockets[0].getsockname())
    activator.endpoints_changed(WEB, [Endpoint("i0", address)])
    async with anyio.create_task_group() as group:
        await group.start(activator.run)
        await group.start(gateway.run, [plain])
        await group.start(found.https.run)
        yield found
        group.cancel_scope.cancel()
    instance.close()


def table(redirected: bool) -> object:
    splits = (Split(service_namespace="default", service_name=WEB.name, percent=100),)
    inner = "web.default.svc.cluster.local"
    web = Ingress(
        spec=IngressSpec(
            rules=(
                Rule(hosts=(inner,), visibility="ClusterLocal", splits=splits),
                Rule(hosts=("web.default.localhost",), splits=splits),
            )
        )
    )
    mapped = Ingress(
        spec=IngressSpec(
            rules=(Rule(hosts=(APP, SHOP), rewrite_host=inner),),
            http_option="Redirected" if redirected else "Enabled",
            tls=(IngressTLS(hosts=(APP, SHOP), secret_name="cert", secret_namespace="default"),),
        )
    )
    return routing_table([web, mapped], {}, {}, [])


def echo(seen: list[bytes]) -> Callable[..., object]:
    """An instance that keeps heads, answers with a body of its size, and echoes WebSockets."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                seen.append(head)
                if b"Upgrade: websocket" in head:
                    writer.write(
                        b"HTTP/1.1 101 Switching Protocols\r\n"
                        b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
                    )
                    while data := await reader.read(1024):
                        writer.write(data)
                    break
                size = 5_000_000 if b"GET /large" in head else 5
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
                writer.write(b"hello" * (size // 5))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    return serve


def header(head: bytes, name: bytes) -> bytes:
    lines = [line for line in head.split(b"\r\n") if line.lower().startswith(name.lower() + b": ")]
    return lines[0].partition(b": ")[2] if lines else b""


async def test_the_instance_sees_the_mapped_host_and_that_it_was_https(
    authority: trustme.CA,
) -> None:
    async with secure(authority) as run:
        await run.have(certificate(authority, APP))
        assert set(run.judged.values()) == {None}
        answer = await run.get("/x?y=1")
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert answer.endswith(b"hello")
        (head,) = run.seen
        assert head.startswith(b"GET /x?y=1 HTTP/1.1\r\n")
        assert header(head, b"Host") == f"{APP}:{run.port}".encode()
        assert header(head, b"X-Forwarded-Proto") == b"https"
        assert b"proto=https" in header(head, b"Forwarded")
        assert not run.facts or not any(isinstance(f, CertificateDoubted) for f in run.facts)


async def test_the_plain_port_serves_it_as_well_unless_it_is_redirected(
    authority: trustme.CA,
) -> None:
    async with secure(authority) as run, httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://127.0.0.1:{run.plain}/", headers={"Host": APP})
        assert (answer.status_code, answer.text) == (200, "hello")
        assert header(run.seen[0], b"X-Forwarded-Proto") == b"http"


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/", f"https://{APP}:8443/"),
        ("/a%20b?c=d&e", f"https://{APP}:8443/a%20b?c=d&e"),
        ("//evil.example/", f"https://{APP}:8443//evil.example/"),
        (f"http://{APP}/x?y", f"https://{APP}:8443/x?y"),
    ],
)
async def test_redirected_plain_http_gets_301_to_the_same_place(
    authority: trustme.CA, target: str, location: str
) -> None:
    async with secure(authority, redirected=True) as run:
        await run.have(certificate(authority, APP))
        reader, writer = await asyncio.open_connection("127.0.0.1", run.plain)
        writer.write(f"GET {target} HTTP/1.1\r\nHost: {APP.upper()}:80\r\n\r\n".encode())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        writer.transport.abort()
        assert head.startswith(b"HTTP/1.1 301 Moved Permanently\r\n")
        assert header(head, b"Location") == location.encode()
        assert (await run.get()).endswith(b"hello")
        assert len(run.seen) == 1


async def test_http2_is_agreed_on_by_alpn(authority: trustme.CA) -> None:
    async with secure(authority) as run:
        await run.have(certificate(authority, APP))
        reader, writer = await run.open(APP, "h2", "http/1.1")
        secured = writer.get_extra_info("ssl_object")
        assert secured.selected_alpn_protocol() == "h2"
        assert secured.version() == "TLSv1.3"
        client = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        client.initiate_connection()
        for stream, path in ((1, "/"), (3, "/large"), (5, "/")):
            fields = [(":method", "GET"), (":scheme", "https"), (":path", path)]
            client.send_headers(stream, [*fields, (":authority", APP)], end_stream=True)
        received, ended, status = dict.fromkeys((1, 3, 5), 0), set[int](), dict[int, str]()
        with anyio.fail_after(PATIENCE):
            while len(ended) < 3:
                writer.write(client.data_to_send())
                for event in client.receive_data(await reader.read(65536)):
                    if isinstance(event, h2.events.ResponseReceived):
                        status[event.stream_id] = dict(event.headers)[":status"]
                    elif isinstance(event, h2.events.DataReceived):
                        received[event.stream_id] += len(event.data)
                        client.acknowledge_received_data(
                            event.flow_controlled_length, event.stream_id
                        )
                    elif isinstance(event, h2.events.StreamEnded):
                        ended.add(event.stream_id)
        writer.transport.abort()
        assert received == {1: 5, 3: 5_000_000, 5: 5}
        assert status == dict.fromkeys((1, 3, 5), "200")
        assert {header(head, b"X-Forwarded-Proto") for head in run.seen} == {b"https"}


async def test_a_large_answer_to_a_slow_client_arrives_whole(authority: trustme.CA) -> None:
    async with secure(authority) as run:
        await run.have(certificate(authority, APP))
        reader, writer = await run.open(APP)
        writer.write(f"GET /large HTTP/1.1\r\nHost: {APP}\r\n\r\n".encode())
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        await asyncio.sleep(0.2)
        body = await asyncio.wait_for(reader.readexactly(5_000_000), PATIENCE)
        writer.transport.abort()
        assert body == b"hello" * 1_000_000


async def test_a_websocket_goes_through(authority: trustme.CA) -> None:
    async with secure(authority) as run:
        await run.have(certificate(authority, APP))
        reader, writer = await run.open(APP)
        writer.write(
            f"GET /ws HTTP/1.1\r\nHost: {APP}\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\n\r\nearly".encode()
        )
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        assert head.startswith(b"HTTP/1.1 101 ")
        assert await asyncio.wait_for(reader.readexactly(5), PATIENCE) == b"early"
        writer.write(b"later")
        assert await asyncio.wait_for(reader.readexactly(5), PATIENCE) == b"later"
        # Its goodbye of TLS ends the instance's side too.
        writer.close()
        await until(
            lambda: run.activator and not any(load.active for load in run.activator.loads())
        )


async def test_the_name_that_a_client_asks_for_chooses(authority: trustme.CA) -> None:
    async with secure(authority) as run:
        app, shop = certificate(authority, APP), certificate(authority, SHOP)
        await run.have(app, shop)
        assert await run.presented(APP) == der(app)
        assert await run.presented(SHOP.upper()) == der(shop)
        for name in (None, "other.example.org"):
            with pytest.raises(ssl.SSLError) as refused:
                await run.presented(name)
            assert "UNRECOGNIZED_NAME" in str(refused.value)
        await run.have(app)
        # With a single one nothing is ambiguous; the client checks whether it will do.
        for name in (None, "localhost"):
            assert await run.presented(name) == der(app)


async def test_a_host_without_a_certificate_is_misdirected(authority: trustme.CA) -> None:
    async with secure(authority) as run:
        await run.have(certificate(authority, APP))
        reader, writer = await run.open(APP)
        for host in ("web.default.localhost", "127.0.0.1", "nobody.example.org"):
            writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
            assert head.startswith(b"HTTP/1.1 421 Misdirected Request\r\n")
            await reader.readexactly(int(header(head, b"Content-Length")))
        writer.transport.abort()


async def test_another_certificate_takes_over_at_once_and_the_connections_stay(
    authority: trustme.CA,
) -> None:
    async with secure(authority) as run:
        first, second = certificate(authority, APP), certificate(authority, APP)
        await run.have(first)
        reader, writer = await run.open(APP)
        assert await run.presented(APP) == der(first)
        await run.have(second)
        assert await run.presented(APP) == der(second)
        writer.write(f"GET / HTTP/1.1\r\nHost: {APP}\r\n\r\n".encode())
        assert b"200 OK" in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        writer.transport.abort()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_an_old_session_does_not_go_on_with_an_old_certificate(
    authority: trustme.CA, version: ssl.TLSVersion
) -> None:
    async with secure(authority) as run:
        run.client.minimum_version = run.client.maximum_version = version

        def shake(session: ssl.SSLSession | None = None) -> tuple[ssl.SSLSession | None, object]:
            with (
                socket.create_connection(("127.0.0.1", run.port), PATIENCE) as raw,
                run.client.wrap_socket(raw, server_hostname=APP, session=session) as secured,
            ):
                secured.sendall(b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % APP.encode())
                secured.recv(1024)
                return secured.session, (secured.getpeercert() or {})["serialNumber"]

        await run.have(certificate(authority, APP))
        session, first = await anyio.to_thread.run_sync(shake)
        await run.have(certificate(authority, APP))
        _, second = await anyio.to_thread.run_sync(shake, session)
        assert second != first


async def test_the_port_is_open_only_while_there_is_a_certificate(authority: trustme.CA) -> None:
    async with secure(authority) as run:
        assert run.port == 0
        await run.have(certificate(authority, APP))
        reader, writer = await run.open(APP)
        await run.have()
        # An idle connection is closed, and nobody gets another one.
        assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
        writer.transport.abort()
        with pytest.raises(ConnectionRefusedError):
            await run.presented(APP)
        await run.have(certificate(authority, APP))
        assert (await run.get()).endswith(b"hello")


async def test_a_key_of_another_certificate_is_refused_and_said(authority: trustme.CA) -> None:
    async with secure(authority) as run:
        good, other = certificate(authority, APP), certificate(authority, SHOP)
        bad = Certificate(
            namespace="default", secret="bad", host=SHOP, chain=other.chain, key=good.key
        )
        await run.have(bad)
        assert run.port == 0
        verdict = run.judged[bad]
        assert verdict is not None
        assert verdict.reason == "CertificateProvisionFailed"
        assert verdict.message == (
            "Certificate bad failed to be provisioned. Secret default/bad:"
            " the private key is not that of the certificate."
        )
        await run.have(bad, good)
        assert (run.judged[good], run.judged[bad]) == (None, verdict)
        assert await run.presented(APP) == der(good)


@pytest.mark.parametrize(
    ("names", "expired", "why"),
    [
        pytest.param((), True, "certificate has expired", id="expired"),
        pytest.param(
            (SHOP,),
            False,
            f"Hostname mismatch, certificate is not valid for '{APP}'.",
            id="name",
        ),
    ],
)
async def test_what_clients_will_not_believe_is_presented_with_a_warning(
    authority: trustme.CA, names: tuple[str, ...], expired: bool, why: str
) -> None:
    async with secure(authority) as run:
        doubtful = certificate(authority, APP, *names, expired=expired)
        await run.have(doubtful)
        assert run.judged[doubtful] is None
        (told,) = [fact for fact in run.facts if isinstance(fact, CertificateDoubted)]
        assert (told.host, told.secret, told.why) == (APP, "cert", why)
        assert await run.presented(APP) == der(doubtful)


async def test_a_port_that_somebody_has_is_said_and_tried_again_with_the_next_change(
    authority: trustme.CA,
) -> None:
    async with secure(authority) as run:
        run.taken = True
        first = certificate(authority, APP)
        await run.have(first)
        assert run.judged[first] == Unusable("PortUnavailable", "cannot listen: it is in use")
        assert [fact.level for fact in run.facts if isinstance(fact, Notice)] == ["error"]
        run.taken = False
        await run.have(certificate(authority, APP))
        assert (await run.get()).endswith(b"hello")


async def test_whoever_is_slow_or_talks_nonsense_is_cut_in_silence(authority: trustme.CA) -> None:
    async with secure(authority, Limits(head_seconds=0.2)) as run:
        await run.have(certificate(authority, APP))
        for said in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", os.urandom(999)):
            reader, writer = await asyncio.open_connection("127.0.0.1", run.port)
            writer.write(said)
            with anyio.fail_after(PATIENCE):
                try:
                    while await reader.read(1024):
                        pass
                except ConnectionError:
                    pass
            writer.transport.abort()
        reader, writer = await asyncio.open_connection("127.0.0.1", run.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.read()).endswith(b"this port speaks https only\n")
        writer.transport.abort()
        # And one who has shaken hands and says nothing then.
        reader, writer = await run.open(APP)
        assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
        writer.transport.abort()
        assert (await run.get()).endswith(b"hello")


async def test_handshakes_count_as_connections(authority: trustme.CA) -> None:
    async with secure(authority, Limits(connections=2)) as run:
        await run.have(certificate(authority, APP))
        waiting = [await asyncio.open_connection("127.0.0.1", run.port) for _ in range(2)]
        reader, writer = await asyncio.open_connection("127.0.0.1", run.port)
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
        for _, each in (*waiting, (reader, writer)):
            each.transport.abort()
        for _ in range(100):
            # The server notices that they have left a moment later.
            with suppress(OSError):
                assert (await run.get()).endswith(b"hello")
                return
            await anyio.sleep(0.05)
        pytest.fail("nobody gets in any more")


async def test_old_versions_of_tls_are_not_spoken(authority: trustme.CA) -> None:
    async with secure(authority) as run:
        await run.have(certificate(authority, APP))
        run.client.maximum_version = ssl.TLSVersion.TLSv1_2
        _, writer = await run.open(APP)
        assert writer.get_extra_info("ssl_object").version() == "TLSv1.2"
        writer.transport.abort()


def test_no_file_of_a_key_stays(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    # As where there is no file in memory.
    monkeypatch.delattr(os, "memfd_create")
    assert not examined(certificate(authority, APP)).doubt
    assert not list(tmp_path.iterdir())


def der(certificate: Certificate) -> bytes:
    return ssl.PEM_cert_to_DER_cert(
        certificate.chain.decode().partition("-----END CERTIFICATE-----")[0]
        + "-----END CERTIFICATE-----\n"
    )


async def test_mutilated_handshakes_harm_nobody(authority: trustme.CA) -> None:
    draw = random.Random(7)
    hello = client_hello(APP)
    async with secure(authority, Limits(head_seconds=0.1)) as run:
        await run.have(certificate(authority, APP), certificate(authority, SHOP))

        async def bother() -> None:
            data = bytearray(hello)
            for _ in range(draw.randrange(1, 4)):
                data[draw.randrange(len(data))] = draw.randrange(256)
            reader, writer = await asyncio.open_connection("127.0.0.1", run.port)
            writer.write(bytes(data[: draw.randrange(1, len(data) * 2)]))
            if draw.random() < 0.5:
                with suppress(ConnectionError):
                    await asyncio.wait_for(reader.read(), PATIENCE)
            writer.transport.abort()

        for _ in range(8):
            async with anyio.create_task_group() as group:
                for _ in range(60):
                    group.start_soon(bother)
        assert (await run.get()).endswith(b"hello")


def client_hello(name: str) -> bytes:
    outgoing = ssl.MemoryBIO()
    context = ssl.create_default_context()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()
