"""HTTPS on real sockets, for domains that have a certificate (Knative reference §1.13, §5.6)."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from knlite.serving.certificates import Certificate
from tests.contract.gateway import HOSTS, Gate, gate, until
from tests.contract.test_request import ECHO_HEAD, UPGRADE, anyio_backend, ask, instance

__all__ = ["anyio_backend"]
pytestmark = pytest.mark.anyio

HOST = HOSTS[0]
GET = f"GET /a HTTP/1.1\r\nHost: {HOST}\r\nX-Forwarded-Proto: http\r\n\r\n".encode()


async def made(folder: Path, host: str) -> Certificate:
    """A certificate of *host* that it has signed itself."""
    key, chain = folder / "key.pem", folder / "chain.pem"
    words = (
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {key} "
        f"-out {chain} -subj /CN={host} -addext subjectAltName=DNS:{host}"
    )
    done = await asyncio.to_thread(subprocess.run, words.split(), capture_output=True, check=False)
    if done.returncode:
        pytest.skip("openssl cannot make a certificate here")
    return Certificate(chain.read_bytes(), key.read_bytes())


@asynccontextmanager
async def connected(
    way: Gate, certificate: Certificate, name: str = HOST, *protocols: str
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A client that trusts nothing but *certificate*."""
    trust = ssl.create_default_context(cadata=certificate.chain.decode())
    if protocols:
        trust.set_alpn_protocols(list(protocols))
    await until(lambda: way.secure)
    host, port = way.secure[0]
    reader, writer = await asyncio.open_connection(host, port, ssl=trust, server_hostname=name)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def replying_with_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers with the head that it got."""
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(head), head))
        await writer.drain()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Switches protocols, and sends back what comes."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(ECHO_HEAD + b"first")
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def test_a_domain_with_a_certificate_is_served_and_the_instance_told(tmp_path: Path) -> None:
    certificate = await made(tmp_path, HOST)
    async with gate() as way, instance(replying_with_head) as address:
        way.endpoints(address)
        assert way.gateway.certificates_changed({HOST: certificate}, {}) == {}
        async with connected(way, certificate) as (reader, writer):
            for _ in range(2):
                writer.write(GET)
                await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
                told = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
                assert told.startswith(b"GET /a HTTP/1.1\r\n")
                assert told.lower().count(b"x-forwarded-proto: https\r\n") == 1
                assert b"proto=https" in told
                assert b"x-forwarded-proto: http\r\n" not in told.lower()


async def test_a_websocket_by_https_is_a_splice(tmp_path: Path) -> None:
    certificate = await made(tmp_path, HOST)
    async with gate() as way, instance(echo) as address:
        way.endpoints(address)
        way.gateway.certificates_changed({HOST: certificate}, {})
        async with connected(way, certificate) as (reader, writer):
            writer.write(UPGRADE)
            await asyncio.wait_for(reader.readuntil(b"first"), 10)
            big = bytes(range(256)) * 4096
            writer.write(big)
            assert await asyncio.wait_for(reader.readexactly(len(big)), 10) == big


async def test_plain_http_is_sent_on_where_that_is_wanted(tmp_path: Path) -> None:
    """§5.7."""
    certificate = await made(tmp_path, HOST)
    async with gate() as way, instance(replying_with_head) as address:
        way.endpoints(address)
        way.gateway.certificates_changed({HOST: certificate}, {HOST: f"https://{HOST}:8443"})
        way.routed()
        answer = await ask(way, first=b"GET /a/b?c=d HTTP/1.1")
        assert answer.startswith(b"HTTP/1.1 301 Moved Permanently\r\n")
        assert f"Location: https://{HOST}:8443/a/b?c=d\r\n".encode() in answer
        async with connected(way, certificate) as (reader, writer):
            writer.write(GET)
            assert (await asyncio.wait_for(reader.readline(), 10)).endswith(b"200 OK\r\n")


async def test_clients_may_choose_http_2(tmp_path: Path) -> None:
    certificate = await made(tmp_path, HOST)
    async with gate() as way:
        way.gateway.certificates_changed({HOST: certificate}, {})
        async with connected(way, certificate, HOST, "h2", "http/1.1") as (reader, writer):
            assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"
            writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)))
            # The server's own SETTINGS.
            assert (await asyncio.wait_for(reader.readexactly(9), 10))[3] == 4


async def test_other_names_have_no_certificate(tmp_path: Path) -> None:
    certificate = await made(tmp_path, HOST)
    async with gate() as way:
        way.gateway.certificates_changed({HOST: certificate}, {})
        with pytest.raises((ssl.SSLError, ConnectionError)):
            async with connected(way, certificate, "other.example.com"):
                pass


async def test_a_new_certificate_is_shown_to_those_who_come_then(tmp_path: Path) -> None:
    old, new = await made(tmp_path, HOST), await made(tmp_path, HOST)
    async with gate() as way, instance(replying_with_head) as address:
        way.endpoints(address)
        way.gateway.certificates_changed({HOST: old}, {})
        async with connected(way, old) as (reader, writer):
            way.gateway.certificates_changed({HOST: new}, {})
            with pytest.raises(ssl.SSLError):
                async with connected(way, old):
                    pass
            async with connected(way, new):
                pass
            writer.write(GET)
            assert (await asyncio.wait_for(reader.readline(), 10)).endswith(b"200 OK\r\n")


async def test_what_is_no_certificate_is_told_and_hurts_nobody_else(tmp_path: Path) -> None:
    certificate = await made(tmp_path, HOST)
    encrypted = await asyncio.to_thread(
        subprocess.run,
        f"openssl pkey -in {tmp_path}/key.pem -aes128 -passout pass:secret".split(),
        capture_output=True,
        check=True,
    )
    async with gate() as way:
        problems = way.gateway.certificates_changed(
            {
                HOST: certificate,
                "a.example.com": Certificate(b"no", b"pem"),
                "b.example.com": Certificate(certificate.chain, b""),
                "c.example.com": Certificate(certificate.chain, encrypted.stdout),
            },
            {},
        )
        assert sorted(problems) == ["a.example.com", "b.example.com", "c.example.com"]
        assert problems["c.example.com"].endswith("its key is encrypted")
        async with connected(way, certificate):
            pass


def test_a_key_is_in_no_repr() -> None:
    assert "secret" not in repr(Certificate(b"chain", b"secret"))
