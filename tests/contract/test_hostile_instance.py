"""Hostile instances, on real sockets: what their clients get through the whole path.

Whatever an instance says: its client gets the answer, or 502, or one that is visibly cut, in bytes
that an independent strict parser understands; the connection is not used for another request; no
place is left; the next client is served.

Source: RFC 9112 §4, §6.3, §7.1, §9.2; RFC 9110 §6.4.1, §6.5, §7.6.1, §15.2.
Not here: hostile clients (``test_hostile.py``), the parser of answers alone (``test_forward.py``).
"""

import asyncio

import pytest

from knlite.dataplane.wire.http1_server import DRAIN_LIMIT
from tests.contract.hostile_path import (
    HOST,
    LAST,
    OK,
    Header,
    ThenClose,
    ThenReset,
    Way,
    answer,
    answers,
    eventually,
    turns,
    way,
)
from tests.contract.test_hostile import LENGTHS, LINES, SIZES

SMUGGLED = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled"


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"use_uvloop": True}


def ask(method: bytes = b"GET", *lines: bytes, version: bytes = b"1.1") -> bytes:
    first = b"%b /a HTTP/%b" % (method, version)
    return b"\r\n".join((first, b"Host: " + HOST, *lines, b"", b""))


def said(*lines: bytes, body: bytes = b"", first: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return b"\r\n".join((first, *lines, b"", body))


def chunks(body: bytes) -> bytes:
    return said(b"Transfer-Encoding: chunked", body=body)


CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"


async def told_of(path: Way, request: bytes, method: bytes = b"GET") -> list[tuple[object, ...]]:
    """What a client is told that asks once, and once more."""
    got = answers(await path.said(request + LAST), [method])
    return [(each.status, each.body, each.whole) for each in got]


def never_again(path: Way) -> None:
    """No connection has carried a second request."""
    for raw in path.instance.raw:
        assert raw.count(b" HTTP/1.1\r\n") <= 1


FIRST_LINES = {
    "version-1.2": b"HTTP/1.2 200 OK",
    "version-3": b"HTTP/3 200 OK",
    "lower-case": b"http/1.1 200 OK",
    "no-space": b"HTTP/1.1200 OK",
    "two-spaces": b"HTTP/1.1  200 OK",
    "leading-space": b" HTTP/1.1 200 OK",
    "status-of-two-digits": b"HTTP/1.1 20 OK",
    "status-of-four-digits": b"HTTP/1.1 2000 OK",
    "status-0": b"HTTP/1.1 000 OK",
    "status-99": b"HTTP/1.1 099 OK",
    "status-signed": b"HTTP/1.1 +20 OK",
    "status-hex": b"HTTP/1.1 0xC OK",
    "status-missing": b"HTTP/1.1 OK",
    "reason-nul": b"HTTP/1.1 200 O\0K",
    "reason-control": b"HTTP/1.1 200 O\x1bK",
    "reason-carriage-return": b"HTTP/1.1 200 O\rK",
    "reason-line-feed": b"HTTP/1.1 200 O\nK: v",
    "a-request": b"GET / HTTP/1.1",
    "another-protocol": b"ICY 200 OK",
    "ssh": b"SSH-2.0-OpenSSH_9",
    "switch": b"HTTP/1.1 101 Switching Protocols",
}

CODINGS = {
    "gzip": b"gzip",
    "gzip-chunked": b"gzip, chunked",
    "chunked-gzip": b"chunked, gzip",
    "identity": b"identity",
    "xchunked": b"xchunked",
    "chunkedx": b"chunkedx",
    "twice": b"chunked, chunked",
    "empty": b"",
    "quoted": b'"chunked"',
    "vertical-tab": b"\x0bchunked",
    "nul": b"chunked\0",
}

BAD_GATEWAY = [
    *(
        pytest.param(said(b"Content-Length: 5", first=first, body=b"hello"), id=f"first-{name}")
        for name, first in FIRST_LINES.items()
    ),
    *(
        pytest.param(said(b"Content-Length: " + value, body=b"hello"), id=f"length-{name}")
        for name, value in LENGTHS.items()
    ),
    *(
        pytest.param(said(b"Transfer-Encoding: " + value, body=CHUNKS), id=f"coding-{name}")
        for name, value in CODINGS.items()
    ),
    *(
        pytest.param(said(line, b"Content-Length: 5", body=b"hello"), id=f"line-{name}")
        for name, line in LINES.items()
    ),
    pytest.param(said(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=CHUNKS), id="both"),
    pytest.param(
        said(b"Transfer-Encoding: chunked", b"Content-Length: 5", body=CHUNKS), id="both-swapped"
    ),
    pytest.param(said(b"Content-Length: 5", b"Content-Length: 5", body=b"hello"), id="equal"),
    pytest.param(said(b"Content-Length: 5", b"Content-Length: 4", body=b"hello"), id="differ"),
    pytest.param(
        said(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=CHUNKS), id="te-te"
    ),
    pytest.param(said(b"X: " + b"x" * 400_000, body=b"hello"), id="large-value"),
    pytest.param(said(*[b"X: y"] * 300, body=b"hello"), id="many-headers"),
    pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000, id="endless-headers"),
    pytest.param(b"HTTP/1.1 200 " + b"O" * 400_000, id="endless-reason"),
    pytest.param(b"\r\n" * 200_000, id="endless-empty-lines"),
    pytest.param(said(first=b"HTTP/1.1 100 Continue") * 20_000, id="endless-continue"),
    pytest.param(
        said(b"Content-Length: %d" % len(SMUGGLED), first=b"HTTP/1.1 199 OK", body=SMUGGLED),
        id="interim-with-length",
    ),
    pytest.param(
        said(b"Transfer-Encoding: chunked", first=b"HTTP/1.1 110 OK", body=CHUNKS) + SMUGGLED,
        id="interim-with-chunks",
    ),
    pytest.param(
        said(b"Content-Length: 5", first=b"HTTP/1.1 103 Early", body=b"hello") + SMUGGLED,
        id="early-hints-with-length",
    ),
    pytest.param(b"\0" * 1000, id="nul"),
    pytest.param(b"\0\0\0\x04\0\0\0\0\0", id="a-frame-of-http2"),
    pytest.param(ThenClose(b""), id="nothing"),
    pytest.param(ThenReset(b""), id="reset"),
    pytest.param(ThenClose(b"HTTP/1.1 200 OK\r\nContent-"), id="half-a-head"),
    pytest.param(ThenClose(said(first=b"HTTP/1.1 100 Continue")), id="only-continue"),
    pytest.param(
        said(b"Connection: Upgrade", b"Upgrade: x", first=b"HTTP/1.1 101 Go") + SMUGGLED, id="101"
    ),
    pytest.param(said(first=b"HTTP/1.1 101 Go") + SMUGGLED, id="101-to-nothing"),
]


@pytest.mark.parametrize("bad", BAD_GATEWAY)
async def test_what_is_no_answer_is_a_bad_gateway(bad: bytes) -> None:
    async with way(lambda seen: bad if seen.target == b"/a" else OK) as path:
        first, second = await told_of(path, ask())
        assert (first[0], first[2]) == (502, True)
        assert second == (200, b"ok", True)
        never_again(path)
        assert [fact.status for fact in path.done()] == [502, 200]
        await path.assert_clean()


CUT = [
    *(
        pytest.param(chunks(body), id=f"chunk-{name}")
        for name, body in SIZES.items()
        # That one is left out, as other trailers that mean nothing there.
        if name != "trailer-transfer-encoding"
    ),
    pytest.param(ThenClose(said(b"Content-Length: 9", body=b"hello")), id="short"),
    pytest.param(ThenReset(said(b"Content-Length: 9", body=b"hello")), id="short-reset"),
    pytest.param(ThenClose(said(b"Content-Length: 9")), id="no-body"),
    pytest.param(ThenClose(chunks(b"5\r\nhello\r\n")), id="no-last-chunk"),
    pytest.param(ThenClose(chunks(b"5\r\nhel")), id="half-a-chunk"),
    pytest.param(ThenClose(chunks(b"5\r\nhello\r\n0\r\n")), id="no-end"),
    pytest.param(chunks(b"5;a=" + b"x" * 400_000), id="endless-extension"),
    pytest.param(chunks(b"0" * 400_000), id="endless-zeros"),
    pytest.param(chunks(b"0\r\n" + b"A: b\r\n" * 100_000), id="endless-trailers"),
    pytest.param(chunks(b"0\r\n" + b"A: b\r\n" * 300 + b"\r\n"), id="many-trailers"),
    pytest.param(chunks(b"0\r\nA: " + b"b" * 70_000 + b"\r\n\r\n"), id="large-trailers"),
]


@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
@pytest.mark.parametrize("bad", CUT)
async def test_what_ends_badly_is_visibly_cut(bad: bytes, version: bytes) -> None:
    async with way(lambda seen: bad if seen.target == b"/a" else OK) as path:
        async with path.connected() as client:
            client.send(ask(version=version))
            said = await client.rest()
            assert client.was_reset or not said or not answers(said)[0].whole
        never_again(path)
        assert [fact.status for fact in path.done()] == [502]
        await path.assert_clean()


@pytest.mark.parametrize(
    ("sent", "method", "status", "body"),
    [
        pytest.param(OK + SMUGGLED, b"GET", 200, b"ok", id="two-answers"),
        pytest.param(OK + b"H", b"GET", 200, b"ok", id="a-letter-more"),
        pytest.param(OK + b"\0", b"GET", 200, b"ok", id="a-nul-more"),
        pytest.param(answer(b"ok") + b"x" * 100_000, b"GET", 200, b"ok", id="longer-than-said"),
        pytest.param(chunks(CHUNKS) + SMUGGLED, b"GET", 200, b"hello", id="two-after-chunks"),
        pytest.param(chunks(CHUNKS) + b"0\r\n\r\n", b"GET", 200, b"hello", id="two-last-chunks"),
        pytest.param(answer(b"") + SMUGGLED, b"GET", 200, b"", id="two-after-empty"),
        pytest.param(answer(b"hello"), b"HEAD", 200, b"", id="body-after-head"),
        pytest.param(chunks(CHUNKS), b"HEAD", 200, b"", id="chunks-after-head"),
        pytest.param(chunks(b"0\r\n\r\n"), b"HEAD", 200, b"", id="last-chunk-after-head"),
        pytest.param(chunks(b"5\r\n"), b"HEAD", 200, b"", id="size-after-head"),
        pytest.param(chunks(b"0\r\nT: u\r\n\r\n"), b"HEAD", 200, b"", id="trailers-after-head"),
        pytest.param(said(b"Content-Length: 9") + SMUGGLED, b"HEAD", 200, b"", id="two-after-head"),
        pytest.param(said(body=b"hello"), b"HEAD", 200, b"", id="no-length-after-head"),
        pytest.param(
            said(b"Content-Length: 5", first=b"HTTP/1.1 204 No", body=b"hello"),
            b"GET",
            204,
            b"",
            id="body-after-204",
        ),
        pytest.param(
            said(b"Transfer-Encoding: chunked", first=b"HTTP/1.1 204 No", body=CHUNKS),
            b"GET",
            204,
            b"",
            id="chunks-after-204",
        ),
        pytest.param(said(first=b"HTTP/1.1 204 No") + SMUGGLED, b"GET", 204, b"", id="two-204"),
        pytest.param(
            said(b"Content-Length: 5", first=b"HTTP/1.1 304 Not", body=b"hello"),
            b"GET",
            304,
            b"",
            id="body-after-304",
        ),
        pytest.param(
            said(b"Content-Length: 9", first=b"HTTP/1.1 304 Not") + SMUGGLED,
            b"GET",
            304,
            b"",
            id="two-304",
        ),
        pytest.param(
            said(b"Connection: close", b"Content-Length: 2", body=b"ok"),
            b"GET",
            200,
            b"ok",
            id="closing-without-closing",
        ),
        pytest.param(
            said(b"Content-Length: 2", first=b"HTTP/1.0 200 OK", body=b"ok"),
            b"GET",
            200,
            b"ok",
            id="1.0",
        ),
        pytest.param(ThenClose(said(body=b"hello")), b"GET", 200, b"hello", id="until-close"),
    ],
)
async def test_a_connection_is_not_used_again_after(
    sent: bytes, method: bytes, status: int, body: bytes
) -> None:
    async with way(lambda seen: sent if seen.target == b"/a" else OK) as path:
        first, second = await told_of(path, ask(method), method)
        assert first == (status, body, True)
        assert second == (200, b"ok", True)
        never_again(path)
        await path.assert_clean()


async def test_an_answer_that_nobody_asked_for_is_nobodys() -> None:
    """It comes while the connection waits for the next request, and ends it."""
    async with way() as path:
        async with path.connected() as client:
            client.send(ask())
            await client.until(b"ok")
            (writer,) = path.instance.writers
            writer.write(SMUGGLED)
            await eventually(lambda: not path.instance.writers)
            client.send(LAST)
            assert answers(await client.rest())[0].body == b"ok"
        never_again(path)
        await path.assert_clean()


async def test_an_early_answer_reaches_its_client_that_is_still_sending() -> None:
    heads: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        if heads[-1].startswith(b"GET"):
            writer.write(OK)
            await reader.read()
        else:
            writer.write(said(b"Content-Length: 3", first=b"HTTP/1.1 413 Large", body=b"big"))
        writer.close()

    async with way(serve_instance=talk) as path:
        async with path.connected() as client:
            client.send(ask(b"POST", b"Content-Length: 900000000"))
            assert (await client.until(b"big")).startswith(b"HTTP/1.1 413 Large\r\n")
            # Whoever goes on all the same is stopped: more than that is not read for nothing.
            client.send(b"x" * 2 * DRAIN_LIMIT)
            assert await client.rest() == b""
        assert answers(await path.said(LAST))[0].status == 200
        assert len(heads) == 2
        await eventually(lambda: not path.server.open)
        assert next(path.activator.loads()).active == 0
        assert not path.reported


async def test_a_short_early_answer_leaves_the_clients_connection_in_step() -> None:
    """The rest of a small body is read and forgotten; it is not the next request."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await reader.read()
        writer.close()

    async with way(serve_instance=talk) as path, path.connected() as client:
        client.send(ask(b"POST", b"Content-Length: %d" % len(LAST)))
        await client.until(b"ok")
        client.send(LAST + LAST)
        assert [told.status for told in answers(await client.rest())] == [200]


async def test_interim_answers_pass_and_leave_to_send_is_given_once() -> None:
    interims = (
        said(first=b"HTTP/1.1 100 Continue")
        + said(b"Link: </a>", first=b"HTTP/1.1 103 Early Hints")
        + said(b"Connection: X-Hop", b"X-Hop: 1", first=b"HTTP/1.1 102 Processing")
    )
    async with way(lambda seen: interims + OK if seen.target == b"/a" else OK) as path:
        got = await path.said(ask() + ask(version=b"1.0"))
        first, second = answers(got)
        assert (first.status, first.body, first.interims) == (200, b"ok", (103, 102))
        assert (second.status, second.body, second.interims) == (200, b"ok", ())
        assert b"X-Hop" not in got
        await path.assert_clean()


async def test_headers_pass_with_their_case_order_and_odd_values() -> None:
    own = [
        (b"x-A", b"1"),
        (b"X-a", b""),
        (b"Set-Cookie", b"a=b; Path=/"),
        (b"Set-Cookie", b"c"),
        (b"Latin", b"\xe9\xff\x80"),
        (b"!#$%&'*+-.^_`|~09", b"a \t b"),
        (b"Content_Length", b"77"),
        (b"Transfer_Encoding", b"chunked"),
        (b"X-Content-Length", b"77"),
    ]
    lines = [b"%b:%b" % header for header in own]
    sent = said(*lines, b"Content-Length: 2", body=b"ok")
    async with way(lambda seen: sent if seen.target == b"/a" else OK) as path:
        first, _ = answers(await path.said(ask() + LAST))
        assert [*first.headers] == [*own, (b"Content-Length", b"2")]
        await path.assert_clean()


async def test_what_is_between_neighbours_stays_there() -> None:
    sent = said(
        b"Connection: X-Secret, Content-Length, keep-alive",
        b"X-Secret: 1",
        b"Keep-Alive: timeout=5",
        b"Proxy-Authenticate: Basic",
        b"Upgrade: h2c",
        b"Content-Length: 2",
        body=b"ok",
    )
    async with way(lambda seen: sent if seen.target == b"/a" else OK) as path:
        first, second = answers(await path.said(ask() + LAST))
        assert [*first.headers] == [(b"Content-Length", b"2")]
        assert second.status == 200
        await path.assert_clean()


@pytest.mark.parametrize(
    ("trailers", "expected"),
    [
        pytest.param([(b"Grpc-Status", b"0"), (b"x", b"")], None, id="pass"),
        pytest.param([(b"Set-Cookie", b"a"), (b"A", b"b")], [(b"A", b"b")], id="cookie"),
        pytest.param([(b"Host", b"b"), (b"Content-Type", b"a")], [], id="head"),
        pytest.param([(b"Connection", b"close")], [], id="connection"),
        pytest.param([(b"Transfer-Encoding", b"chunked")], [], id="coding"),
        pytest.param([(b"Transfer-Encoding", b"gzip")], [], id="another-coding"),
        pytest.param([(b"Connection", b"upgrade"), (b"Upgrade", b"x")], [], id="upgrade"),
    ],
)
async def test_trailers_pass_unless_they_could_mean_something_in_a_head(
    trailers: list[Header], expected: list[Header] | None
) -> None:
    lines = b"".join(b"%b: %b\r\n" % trailer for trailer in trailers)
    sent = chunks(b"5\r\nhello\r\n0\r\n" + lines + b"\r\n")
    async with way(lambda seen: sent if seen.target == b"/a" else OK) as path:
        first, second = answers(await path.said(ask() + LAST))
        assert [*first.trailers] == (trailers if expected is None else expected)
        assert (first.body, second.status) == (b"hello", 200)
        await path.assert_clean()


STATUSES = (200, 206, 226, 299, 301, 400, 404, 418, 451, 499, 599, 799, 999)


@pytest.mark.parametrize("status", STATUSES)
async def test_statuses_pass(status: int) -> None:
    sent = said(b"Content-Length: 2", first=b"HTTP/1.1 %d \xe9 x" % status, body=b"ok")
    async with way(lambda seen: sent if seen.target == b"/a" else OK) as path:
        got = await path.said(ask() + LAST)
        assert got.startswith(b"HTTP/1.1 %d \xe9 x\r\n" % status)
        assert [told.body for told in answers(got)] == [b"ok", b"ok"]
        await path.assert_clean()


@pytest.mark.parametrize(
    ("method", "sent", "length"),
    [
        pytest.param(b"HEAD", said(b"Content-Length: 7"), [b"7"], id="head"),
        pytest.param(b"HEAD", said(b"Transfer-Encoding: chunked"), [], id="head-chunked"),
        pytest.param(b"GET", said(first=b"HTTP/1.1 204 No"), [], id="204"),
        pytest.param(b"GET", said(b"Content-Length: 0", first=b"HTTP/1.1 204 No"), [], id="204-0"),
        pytest.param(b"GET", said(first=b"HTTP/1.1 304 Not"), [], id="304"),
        pytest.param(
            b"GET", said(b"Content-Length: 7", first=b"HTTP/1.1 304 Not"), [b"7"], id="304-length"
        ),
    ],
)
async def test_answers_without_a_body_keep_both_connections(
    method: bytes, sent: bytes, length: list[bytes]
) -> None:
    async with way(lambda seen: sent if seen.target == b"/a" else OK) as path:
        first, second = answers(await path.said(ask(method) + LAST), [method])
        assert (first.body, first.whole, first.values(b"content-length")) == (b"", True, length)
        assert (second.status, second.body) == (200, b"ok")
        await path.assert_clean()


async def test_an_endless_answer_stops_when_its_client_leaves() -> None:
    sent = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said(b"Transfer-Encoding: chunked"))
        try:
            while True:
                writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
                await writer.drain()
                sent += 4096
        except ConnectionError:
            pass
        finally:
            writer.close()

    async with way(serve_instance=talk) as path:
        async with path.connected() as client:
            client.send(ask())
            await client.until(b"x" * 4096)
        await eventually(path.done)
        await eventually(lambda: not path.server.open)
        assert next(path.activator.loads()).active == 0
        assert not path.reported
        await turns()
