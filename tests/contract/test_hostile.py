"""Hostile clients, on real sockets, through the gateway and the activator to an instance.

Whatever is sent: an instance sees whole requests that an independent strict parser understands, or
nothing; the client is refused, or cut; no place and no connection is left; the next client is
served.

Source: RFC 9112 §2.2, §3, §5, §6, §7.1, §11 (attacks); RFC 9110 §5.5, §6.5, §7.6.1, §7.8.
Not here: hostile instances (``test_hostile_instance.py``), HTTP/2 (``test_http2.py``).
"""

import asyncio
from collections.abc import Sequence

import pytest

from knlite.dataplane.wire.exchange import Exchange
from knlite.dataplane.wire.http1_server import Http1Connection
from knlite.dataplane.wire.limits import Limits
from tests.contract.hostile_path import (
    HOST,
    LAST,
    OK,
    PATIENCE,
    Header,
    Seen,
    answer,
    answers,
    eventually,
    statuses,
    turns,
    way,
)
from tests.contract.wire_ends import Loop, Transport

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: %b\r\n\r\n" % HOST


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"use_uvloop": True}


def head(*lines: bytes, first: bytes = b"POST /a HTTP/1.1", host: bytes = HOST) -> bytes:
    return b"\r\n".join((first, b"Host: " + host, *lines, b"", b""))


def chunked(chunks: bytes, *lines: bytes) -> bytes:
    return head(b"Transfer-Encoding: chunked", *lines) + chunks


CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"

LENGTHS = {
    "hex": b"0x5",
    "plus": b"+5",
    "minus": b"-1",
    "minus-zero": b"-0",
    "empty": b"",
    "blank": b" ",
    "list": b"5, 5",
    "list-tight": b"5,5",
    "list-conflict": b"5, 6",
    "two-words": b"5 5",
    "point": b"5.0",
    "exponent": b"5e0",
    "underscore": b"1_0",
    "quoted": b'"5"',
    "vertical-tab": b"5\x0b",
    "form-feed": b"\x0c5",
    "nul": b"5\0",
    "arabic-digit": "\N{ARABIC-INDIC DIGIT FIVE}".encode(),
    "superscript": b"\xb2",
    "twenty-digits": b"99999999999999999999",
    "over-64-bits": b"18446744073709551616",
    "64-bits": b"18446744073709551615",
    "over-63-bits": b"9223372036854775808",
    "nineteen-digits": b"0000000000000000005",
    "hundreds-of-digits": b"9" * 300,
    "thousands-of-zeros": b"0" * 5_000 + b"5",
}

CODINGS = {
    "xchunked": (b"xchunked", 501),
    "chunkedx": (b"chunkedx", 501),
    "twice-in-a-list": (b"chunked, chunked", 400),
    "gzip": (b"gzip", 501),
    "gzip-chunked": (b"gzip, chunked", 501),
    "chunked-gzip": (b"chunked, gzip", 400),
    "identity": (b"identity", 501),
    "chunked-identity": (b"chunked, identity", 400),
    "identity-chunked": (b"identity, chunked", 501),
    "empty": (b"", 400),
    "comma-before": (b",chunked", 501),
    "comma-after": (b"chunked,", 400),
    "quoted": (b'"chunked"', 501),
    "parameter": (b"chunked;q=1", 501),
    "vertical-tab": (b"\x0bchunked", 400),
    "vertical-tab-after": (b"chunked\x0b", 400),
    "nul-after": (b"chunked\0", 400),
    "nbsp-before": (b"\xa0chunked", 501),
    "dotless-i": ("chunKed".replace("K", "\N{KELVIN SIGN}").encode(), 501),
    "cow": (b"cow", 501),
}

SIZES = {
    "empty": b"\r\nhello\r\n0\r\n\r\n",
    "minus": b"-5\r\nhello\r\n0\r\n\r\n",
    "plus": b"+5\r\nhello\r\n0\r\n\r\n",
    "0x": b"0x5\r\nhello\r\n0\r\n\r\n",
    "underscore": b"0_5\r\nhello\r\n0\r\n\r\n",
    "space-before": b" 5\r\nhello\r\n0\r\n\r\n",
    "space-after": b"5 \r\nhello\r\n0\r\n\r\n",
    "tab-after": b"5\t\r\nhello\r\n0\r\n\r\n",
    "point": b"5.\r\nhello\r\n0\r\n\r\n",
    "not-hex": b"g\r\nhello\r\n0\r\n\r\n",
    "no-size": b";a\r\nhello\r\n0\r\n\r\n",
    "over-64-bits": b"10000000000000000\r\nhello\r\n0\r\n\r\n",
    "over-64-bits-by-5": b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    "many-digits": b"f" * 1000 + b"\r\nhello\r\n0\r\n\r\n",
    "line-feed-after-size": b"5\nhello\r\n0\r\n\r\n",
    "carriage-return-after-size": b"5\rhello\r\n0\r\n\r\n",
    "line-feed-after-data": b"5\r\nhello\n0\r\n\r\n",
    "nothing-after-data": b"5\r\nhello0\r\n\r\n",
    "others-after-data": b"5\r\nhelloXX0\r\n\r\n",
    "more-data-than-size": b"4\r\nhello\r\n0\r\n\r\n",
    "line-feed-after-last": b"0\n\r\n",
    "line-feeds-at-the-end": b"0\r\n\n",
    "carriage-return-at-the-end": b"0\r\n\rX",
    "extension-with-line-feed": b"5;a\nb\r\nhello\r\n0\r\n\r\n",
    "extension-with-carriage-return": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "extension-with-nul": b"5;a\0\r\nhello\r\n0\r\n\r\n",
    "extension-quoted-line-end": b'5;a="\r\n"\r\nhello\r\n0\r\n\r\n',
    "extension-empty": b"5;\r\nhello\r\n0\r\n\r\n",
    "extension-after-space": b"5 ;a\r\nhello\r\n0\r\n\r\n",
    "trailer-content-length": b"0\r\nContent-Length: 5\r\n\r\n",
    "trailer-transfer-encoding": b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "trailer-folded": b"0\r\nA: b\r\n c\r\n\r\n",
    "trailer-space-before-colon": b"0\r\nA : b\r\n\r\n",
    "trailer-line-feed": b"0\r\nA: b\n\r\n",
    "trailer-nul": b"0\r\nA: b\0\r\n\r\n",
    "trailer-without-colon": b"0\r\nA\r\n\r\n",
}

LINES = {
    "space-before-colon": b"X : a",
    "tab-before-colon": b"X\t: a",
    "space-in-name": b"X Y: a",
    "nul-in-name": b"X\0: a",
    "control-in-name": b"X\x01: a",
    "delete-in-name": b"X\x7f: a",
    "high-byte-in-name": b"X\xe9: a",
    "slash-in-name": b"X/Y: a",
    "brackets-in-name": b"X[0]: a",
    "at-in-name": b"X@Y: a",
    "no-name": b": a",
    "no-colon": b"X",
    "folded": b"X: a\r\n b",
    "folded-with-tab": b"X: a\r\n\tb",
    "folded-empty": b"X: a\r\n ",
    "folded-into-a-length": b"X: a\r\n Content-Length: 5",
    "bare-carriage-return": b"X: a\rY: b",
    "carriage-return-before-end": b"X: a\r",
    "bare-line-feed": b"X: a\nY: b",
    "nul": b"X: a\0b",
    "control": b"X: a\x01b",
    "escape": b"X: \x1b[31m",
    "vertical-tab": b"X: a\x0bb",
    "delete": b"X: a\x7fb",
    "length-space-before-colon": b"Content-Length : 5",
    "length-tab-before-colon": b"Content-Length\t: 5",
    "length-nul-in-name": b"Content-Length\0: 5",
    "coding-space-before-colon": b"Transfer-Encoding : chunked",
    "coding-vertical-tab-before-colon": b"Transfer-Encoding\x0b: chunked",
    "coding-nul-in-name": b"Transfer-Encoding\0: chunked",
    "coding-after-bare-line-feed": b"X: a\nTransfer-Encoding: chunked",
    "coding-after-bare-carriage-return": b"X: a\rTransfer-Encoding: chunked",
    "coding-folded": b"Transfer-Encoding:\r\n chunked",
    "coding-space-before": b" Transfer-Encoding: chunked",
}

FIRST = {
    "bare-line-feed": (b"GET / HTTP/1.1\nX: a", 400),
    "bare-carriage-return": (b"GET / HTTP/1.1\rX: a", 400),
    "folded": (b"GET / HTTP/1.1\r\n X: a", 400),
    "trailing-space": (b"GET / HTTP/1.1 ", 400),
    "leading-space": (b" GET / HTTP/1.1", 501),
    "leading-nul": (b"\0GET / HTTP/1.1", 501),
    "byte-order-mark": (b"\xef\xbb\xbfGET / HTTP/1.1", 501),
    "tabs": (b"GET\t/\tHTTP/1.1", 501),
    "tab-before-version": (b"GET /\tHTTP/1.1", 400),
    "vertical-tab": (b"GET /\x0bHTTP/1.1", 400),
    "no-version": (b"GET /", 505),
    "0.9": (b"GET / HTTP/0.9", 505),
    "1.2": (b"GET / HTTP/1.2", 400),
    "2.0": (b"GET / HTTP/2.0", 505),
    "3.0": (b"GET / HTTP/3.0", 400),
    "11.1": (b"GET / HTTP/11.1", 400),
    "1.10": (b"GET / HTTP/1.10", 400),
    "1": (b"GET / HTTP/1", 400),
    "1,1": (b"GET / HTTP/1,1", 400),
    "lower-case-version": (b"GET / http/1.1", 400),
    "another-protocol": (b"GET / ICAP/1.0", 400),
    "two-targets": (b"GET /a /b HTTP/1.1", 400),
    "two-versions": (b"GET / HTTP/1.1 HTTP/1.1", 400),
    "no-target": (b"GET HTTP/1.1", 400),
    "lower-case-method": (b"get / HTTP/1.1", 501),
    "unknown-method": (b"BREW / HTTP/1.1", 501),
    "nul-in-method": (b"G\0T / HTTP/1.1", 501),
    "high-byte-in-method": (b"G\xc9T / HTTP/1.1", 501),
    "connect": (b"CONNECT a:443 HTTP/1.1", 501),
    "connect-origin-form": (b"CONNECT /a HTTP/1.1", 501),
    "rtsp-method": (b"DESCRIBE / HTTP/1.1", 400),
    "preface-of-http2": (b"PRI * HTTP/1.1", 400),
    "authority-form": (b"GET a:443 HTTP/1.1", 400),
    "relative": (b"GET a/b HTTP/1.1", 400),
    "empty-query-only": (b"GET ?a HTTP/1.1", 400),
    "asterisk-for-get": (b"GET * HTTP/1.1", 400),
    "asterisk-and-more": (b"OPTIONS *a HTTP/1.1", 400),
    "fragment": (b"GET /a#b HTTP/1.1", 400),
    "fragment-in-query": (b"GET /a?b#c HTTP/1.1", 400),
    "nul-in-target": (b"GET /\0 HTTP/1.1", 400),
    "control-in-target": (b"GET /\x01 HTTP/1.1", 400),
    "tab-in-target": (b"GET /a\tb HTTP/1.1", 400),
    "form-feed-in-target": (b"GET /a\x0cb HTTP/1.1", 400),
    "delete-in-target": (b"GET /\x7f HTTP/1.1", 400),
    "carriage-return-in-target": (b"GET /a\rb HTTP/1.1", 400),
    "utf-8-in-target": ("GET /ä HTTP/1.1".encode(), 400),
    "utf-8-in-query": ("GET /?ä HTTP/1.1".encode(), 400),
    "latin-1-in-target": (b"GET /\xe4 HTTP/1.1", 400),
    "userinfo": (b"GET http://web.default.localhost@b/ HTTP/1.1", 400),
    "userinfo-with-password": (b"GET http://a:b@web.default.localhost/ HTTP/1.1", 400),
    "no-authority": (b"GET http:///a HTTP/1.1", 400),
    "only-a-scheme": (b"GET http:// HTTP/1.1", 400),
    "only-a-port": (b"GET http://:80/ HTTP/1.1", 400),
    "backslash-in-authority": (b"GET http://a\\b/ HTTP/1.1", 400),
    "another-scheme": (b"GET ftp://web.default.localhost/ HTTP/1.1", 400),
    "bracket-in-authority": (b"GET http://[::1/ HTTP/1.1", 400),
}

HOSTS = {
    "space": b"a b",
    "comma": b"web.default.localhost,b",
    "list": b"web.default.localhost, b",
    "slash": b"web.default.localhost/b",
    "userinfo": b"b@web.default.localhost",
    "userinfo-after": b"web.default.localhost@b",
    "scheme": b"http://web.default.localhost",
    "query": b"web.default.localhost?",
    "fragment": b"web.default.localhost#",
    "backslash": b"web.default.localhost\\b",
    "quote": b'"web.default.localhost"',
    "angle": b"<b>",
    "port-not-a-number": b"web.default.localhost:a",
    "two-ports": b"web.default.localhost:1:2",
    "signed-port": b"web.default.localhost:+80",
    "open-bracket": b"[::1",
    "text-after-bracket": b"[::1]b",
    "brackets-without-address": b"[x]",
    "tab": b"a\tb",
    "high-byte": b"w\xe9b.default.localhost",
    "utf-8": "wéb.default.localhost".encode(),
}

REFUSED = [
    *(
        pytest.param(head(b"Content-Length: " + value) + b"hello", 400, id=f"length-{name}")
        for name, value in LENGTHS.items()
    ),
    *(
        pytest.param(head(b"Transfer-Encoding: " + value) + CHUNKS, status, id=f"coding-{name}")
        for name, (value, status) in CODINGS.items()
    ),
    *(pytest.param(head(line) + CHUNKS, 400, id=f"line-{name}") for name, line in LINES.items()),
    *(
        pytest.param(head(line, b"Content-Length: 5") + b"hello", 400, id=f"line-and-length-{name}")
        for name, line in LINES.items()
    ),
    *(
        pytest.param(head(first=first), status, id=f"first-{name}")
        for name, (first, status) in FIRST.items()
    ),
    *(pytest.param(head(host=host), 400, id=f"host-{name}") for name, host in HOSTS.items()),
    pytest.param(head(b"Content-Length: 5", b"Content-Length: 5") + b"hello", 400, id="equal"),
    pytest.param(head(b"Content-Length: 5", b"Content-Length: 4") + b"hello", 400, id="differ"),
    pytest.param(head(b"Content-Length: 0", b"Content-Length: 5") + b"hello", 400, id="zero-five"),
    pytest.param(head(b"Content-Length: 5", b"content-length: 5") + b"hello", 400, id="case"),
    pytest.param(
        head(b"Content-Length: 5", b"Transfer-Encoding: chunked") + CHUNKS, 400, id="cl-te"
    ),
    pytest.param(
        head(b"Transfer-Encoding: chunked", b"Content-Length: 5") + CHUNKS, 400, id="te-cl"
    ),
    pytest.param(
        head(b"Content-Length: 0", b"Transfer-Encoding: chunked") + CHUNKS, 400, id="cl-0-te"
    ),
    pytest.param(
        head(b"Content-Length: 5", b"Transfer-Encoding: identity") + b"hello", 400, id="cl-identity"
    ),
    pytest.param(
        head(b"Content-Length: 5", b"Transfer-Encoding: xchunked") + CHUNKS, 400, id="cl-te-x"
    ),
    pytest.param(
        head(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked") + CHUNKS, 400, id="te-te"
    ),
    pytest.param(
        head(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity") + CHUNKS,
        400,
        id="te-te-identity",
    ),
    pytest.param(
        head(b"Transfer-Encoding: x", b"Transfer-Encoding: chunked") + CHUNKS, 501, id="te-x-te"
    ),
    pytest.param(
        head(b"Transfer-Encoding: chunked", first=b"POST / HTTP/1.0") + CHUNKS, 400, id="te-1.0"
    ),
    pytest.param(b"GET / HTTP/1.1\r\n\r\n", 400, id="no-host"),
    pytest.param(b"\r\n" * 100 + b"GET / HTTP/1.1\r\n\r\n", 400, id="empty-lines-and-no-host"),
    pytest.param(head(b"Host: " + HOST), 400, id="two-hosts-equal"),
    pytest.param(head(b"Host: b"), 400, id="two-hosts"),
    pytest.param(head(b"host: b", b"HOST: c"), 400, id="three-hosts"),
    pytest.param(b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, id="host-space-before-colon"),
    pytest.param(b"GET / HTTP/1.1\r\nHost:\r\n a\r\n\r\n", 400, id="host-folded"),
    pytest.param(b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, id="host-after-space"),
    pytest.param(
        b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
        400,
        id="two-hosts-1.0",
    ),
    pytest.param(head(b"Expect: 200-ok", b"Content-Length: 5") + b"hello", 417, id="expect"),
    pytest.param(
        head(b"Expect: 100-continue, x", b"Content-Length: 5") + b"hello", 417, id="expect-list"
    ),
    pytest.param(
        head(b"Expect: 100-continue", b"Expect: x", b"Content-Length: 5") + b"hello",
        417,
        id="expect-twice",
    ),
    pytest.param(head(b"Expect:"), 417, id="expect-empty"),
    pytest.param(head(b"X: " + b"x" * 66_000), 431, id="large-value"),
    pytest.param(head(b"x" * 66_000 + b": a"), 431, id="large-name"),
    pytest.param(head(*[b"X: " + b"x" * 1000] * 70), 431, id="large-head"),
    pytest.param(head(*[b"X:"] * 300), 431, id="many-headers"),
    pytest.param(head(first=b"GET /" + b"x" * 66_000 + b" HTTP/1.1"), 431, id="large-target"),
    pytest.param(b"GET /" + b"x" * 400_000, 431, id="endless-target"),
    pytest.param(b"GET / HTTP/1.1\r\nX: " + b"x" * 400_000, 431, id="endless-value"),
    pytest.param(b"GET / HTTP/1.1\r\n" + b"x" * 400_000, 431, id="endless-name"),
    pytest.param(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 100_000, 431, id="endless-headers"),
    pytest.param(b"\r\n" * 200_000, 431, id="endless-empty-lines"),
    pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 501, id="tls"),
    pytest.param(b"SSH-2.0-OpenSSH\r\n", 501, id="ssh"),
    pytest.param(b"\0" * 1000, 501, id="nul"),
    pytest.param(b"\xff" * 1000, 501, id="high-bytes"),
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 501, id="an-answer"),
]


@pytest.mark.parametrize(("sent", "status"), REFUSED)
async def test_what_is_ambiguous_is_refused_and_seen_by_nobody(sent: bytes, status: int) -> None:
    async with way() as path:
        said = await path.said(sent + SMUGGLED + LAST)
        assert statuses(said) == [status]
        assert b"connection: close" in said.lower()
        assert path.instance.heads == []
        await path.assert_clean()


@pytest.mark.parametrize(("sent", "status"), REFUSED)
def test_the_same_in_pieces(sent: bytes, status: int) -> None:
    """No rule depends on what comes in one read."""
    step = 1 if len(sent) < 2_000 else 999
    transport = Transport()
    begun: list[Exchange] = []
    connection = Http1Connection(Loop(), begun.append, Limits(), set(), lambda _: None)  # type: ignore[arg-type]  # what it needs of one
    connection.connection_made(transport)
    for at in range(0, len(sent), step):
        connection.data_received(sent[at : at + step])
    connection.data_received(SMUGGLED + LAST)
    assert statuses(bytes(transport.written)) == [status]
    assert begun == []
    assert transport.eof


@pytest.mark.parametrize(
    "chunks", [pytest.param(chunks, id=name) for name, chunks in SIZES.items()]
)
async def test_malformed_chunks_end_the_request_and_the_connection(chunks: bytes) -> None:
    async with way() as path:
        said = await path.said(chunked(chunks) + SMUGGLED + LAST)
        assert statuses(said) in ([400], [])
        assert path.instance.seen == []
        await path.assert_clean()


@pytest.mark.parametrize(
    ("sent", "limit"),
    [
        pytest.param(b"5;a=" + b"x" * 400_000, 64 * 1024, id="endless-extension"),
        pytest.param(b"5" + b";a=b" * 100_000, 64 * 1024, id="endless-extensions"),
        pytest.param(b"0" * 400_000, 64 * 1024, id="endless-zeros"),
        pytest.param(b"0\r\n" + b"A: b\r\n" * 100_000, 64 * 1024, id="endless-trailers"),
        pytest.param(b"0\r\nA: " + b"b" * 400_000, 64 * 1024, id="endless-trailer"),
        pytest.param(b"0\r\n" + b"A: b\r\n" * 300 + b"\r\n", 256, id="many-trailers"),
        pytest.param(
            b"0\r\n" + b"A: %b\r\n" % (b"b" * 1000) * 80 + b"\r\n", 256, id="large-trailers"
        ),
    ],
)
async def test_framing_without_end_is_not_kept(sent: bytes, limit: int) -> None:
    async with way() as path:
        said = await path.said(chunked(sent) + SMUGGLED + LAST)
        assert statuses(said) in ([400], [])
        assert path.instance.seen == []
        assert not any(len(raw) > 4096 for raw in path.instance.raw)
        await path.assert_clean()


PASSED_ON: Sequence[tuple[str, bytes, Seen]] = [
    (name, head(b"X: y", first=b"GET %b HTTP/1.1" % target), seen_as)
    for name, target, seen_as in (
        (name, target, Seen(b"GET", target, ((b"Host", HOST), (b"X", b"y")), b"", ()))
        for name, target in (
            ("dots", b"/a//b/../c/./"),
            ("encoded-dots", b"/%2e%2e/%2E%2E/"),
            ("encoded-slash", b"/a%2Fb%5cc"),
            ("encoded-nul", b"/%00%0d%0aX:%20y"),
            ("bad-encoding", b"/%zz%"),
            ("parameters", b"/;x=1;y?&&=&=&a"),
            ("two-question-marks", b"/a?b?c=/d//e"),
            ("empty-query", b"/a?"),
            ("double-slash", b"//b/c"),
            ("backslash", b"/a\\b"),
            ("punctuation", b"/-._~!$&'()*+,;=:@|^`{}[]\"<>"),
            ("absolute", b"http://" + HOST + b"/a?b"),
            ("absolute-with-port", b"HTTP://" + HOST + b":80"),
            ("address-in-path", b"/http://b/c?d"),
            ("long", b"/" + b"x" * 60_000),
        )
    )
]
"""Odd, but each means one thing: handed on byte for byte."""


@pytest.mark.parametrize(
    ("sent", "expected"),
    [pytest.param(sent, expected, id=name) for name, sent, expected in PASSED_ON],
)
async def test_odd_targets_pass_byte_for_byte(sent: bytes, expected: Seen) -> None:
    async with way() as path:
        assert statuses(await path.said(sent + LAST)) == [200, 200]
        seen = path.instance.seen[0]
        assert (seen.method, seen.target, seen.body) == (expected.method, expected.target, b"")
        assert [value for name, value in seen.own if name == b"X"] == [b"y"]
        await path.assert_clean()


@pytest.mark.parametrize(
    "method",
    b"GET HEAD POST PUT DELETE OPTIONS TRACE PATCH PURGE PROPFIND PROPPATCH MKCOL COPY MOVE LOCK"
    b" UNLOCK REPORT SEARCH LINK UNLINK NOTIFY SUBSCRIBE".split(),
)
async def test_methods_pass(method: bytes) -> None:
    async with way() as path:
        sent = head(b"Content-Length: 2", first=method + b" /a HTTP/1.1") + b"hi"
        path.instance.answer = lambda seen: OK[:-2] if seen.method == b"HEAD" else OK
        assert statuses(await path.said(sent + LAST), [method]) == [200, 200]
        assert (path.instance.seen[0].method, path.instance.seen[0].body) == (method, b"hi")
        await path.assert_clean()


async def test_the_asterisk_form_passes() -> None:
    async with way() as path:
        assert statuses(await path.said(head(first=b"OPTIONS * HTTP/1.1") + LAST)) == [200, 200]
        assert path.instance.seen[0].target == b"*"
        await path.assert_clean()


async def test_headers_pass_with_their_case_order_and_odd_values() -> None:
    own = [
        (b"hOsT", HOST),
        (b"X-b", b"1"),
        (b"x-A", b""),
        (b"X-B", b"2"),
        (b"Empty", b""),
        (b"Cookie", b'a=b; c="d,e"'),
        (b"Cookie", b"f"),
        (b"!#$%&'*+-.^_`|~09", b"a name"),
        (b"Latin", b"\xe9\xff\x80"),
        (b"Inside", b"a \t b"),
        (b"Transfer_Encoding", b"chunked"),
        (b"Content_Length", b"77"),
        (b"Content-Lengthy", b"77"),
        (b"X-Content-Length", b"77"),
        (b"X-Transfer-Encoding", b"chunked"),
    ]
    lines = b"".join(b"%b:%b\r\n" % header for header in own)
    async with way() as path:
        assert (
            statuses(await path.said(b"GET /a HTTP/1.1\r\n" + lines + b"\r\n" + LAST)) == [200] * 2
        )
        assert path.instance.seen[0].own == own
        await path.assert_clean()


async def test_a_head_of_nearly_the_limit_passes() -> None:
    lines = [b"X-%d: %b" % (n, b"y" * 240) for n in range(250)]
    async with way() as path:
        sent = head(*lines, first=b"GET / HTTP/1.1")
        assert statuses(await path.said(sent + LAST)) == [200, 200]
        assert path.instance.seen[0].own[1:] == [tuple(line.split(b": ")) for line in lines]
        await path.assert_clean()


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        pytest.param(head(b"Content-Length: 5 ") + b"hello", b"hello", id="length-then-space"),
        pytest.param(head(b"Content-Length:5") + b"hello", b"hello", id="length-no-space"),
        pytest.param(head(b"Content-Length: \t 5\t") + b"hello", b"hello", id="length-tabs"),
        pytest.param(head(b"Content-Length: 00005") + b"hello", b"hello", id="length-zeros"),
        pytest.param(head(b"content-LENGTH: 5") + b"hello", b"hello", id="length-case"),
        pytest.param(head(b"Content-Length: %d" % len(LAST)) + LAST, LAST, id="a-request-inside"),
        pytest.param(chunked(CHUNKS), b"hello", id="chunked"),
        pytest.param(head(b"TRANSFER-encoding:\tChunked ") + CHUNKS, b"hello", id="chunked-tab"),
        pytest.param(chunked(b"000005\r\nhello\r\n000\r\n\r\n"), b"hello", id="leading-zeros"),
        pytest.param(chunked(b"A\r\nhellohello\r\n0\r\n\r\n"), b"hellohello", id="upper-case-hex"),
        pytest.param(
            chunked(b'5;a;b=c;d="e\\" ;f"\r\nhello\r\n0;x=y\r\n\r\n'), b"hello", id="extensions"
        ),
        pytest.param(
            chunked(b"%x\r\n%b\r\n0\r\n\r\n" % (len(LAST), LAST)), LAST, id="a-request-in-a-chunk"
        ),
        pytest.param(
            chunked(b"7\r\n0\r\n\r\nGE\r\n0\r\n\r\n"), b"0\r\n\r\nGE", id="an-end-in-a-chunk"
        ),
        pytest.param(chunked(b"0\r\n\r\n"), b"", id="empty-chunked"),
        pytest.param(head(b"Content-Length: 0"), b"", id="empty"),
        pytest.param(b"\r\n\r\n\r\n" + head(b"Content-Length: 1") + b"x", b"x", id="empty-lines"),
        pytest.param(
            head(b"Content-Length: 5", first=b"GET /a HTTP/1.1") + b"hello", b"hello", id="get"
        ),
        pytest.param(
            head(b"Content-Length: 5", first=b"POST  /a  HTTP/1.1") + b"hello",
            b"hello",
            id="spaces",
        ),
        pytest.param(
            head(b"Content-Length: 5", b"Connection: Content-Length, Host, Transfer-Encoding")
            + b"hello",
            b"hello",
            id="connection-names-the-framing",
        ),
        pytest.param(
            chunked(CHUNKS, b"Connection: Transfer-Encoding, Content-Length, host"),
            b"hello",
            id="connection-names-the-coding",
        ),
        pytest.param(
            head(b"Content-Length: 5", b"Connection: Upgrade", b"Upgrade: websocket") + b"hello",
            b"hello",
            id="upgrade-with-body",
        ),
        pytest.param(
            chunked(CHUNKS, b"Connection: Upgrade", b"Upgrade: h2c", b"HTTP2-Settings: AAAA"),
            b"hello",
            id="h2c-with-body",
        ),
        pytest.param(
            head(b"Content-Length: 5", b"Expect:\t100-Continue ") + b"hello", b"hello", id="expect"
        ),
        pytest.param(
            head(b"Content-Length: 5", b"Expect: 100-continue", b"Expect: 100-continue") + b"hello",
            b"hello",
            id="expect-twice",
        ),
        pytest.param(head(b"Expect: 100-continue"), b"", id="expect-without-body"),
    ],
)
async def test_one_body_goes_through_as_one_body(sent: bytes, body: bytes) -> None:
    async with way() as path:
        assert statuses(await path.said(sent + LAST)) == [200, 200]
        first, last = path.instance.seen
        assert (first.body, last.target) == (body, b"/last")
        assert len(first.values(b"content-length")) + len(first.values(b"transfer-encoding")) <= 1
        for name in (b"connection", b"upgrade", b"http2-settings", b"expect"):
            assert first.values(name) == []
        await path.assert_clean()


@pytest.mark.parametrize(
    ("trailers", "expected"),
    [
        pytest.param([(b"Grpc-Status", b"0"), (b"x", b"")], None, id="pass"),
        pytest.param([(b"Host", b"b"), (b"A", b"b")], [(b"A", b"b")], id="host"),
        pytest.param([(b"Upgrade", b"h2c"), (b"Trailer", b"x")], [], id="upgrade"),
        pytest.param(
            [(b"TE", b"x"), (b"Expect", b"x"), (b"Keep-Alive", b"x")], [], id="hop-by-hop"
        ),
        pytest.param([(b"Authorization", b"x"), (b"Cookie", b"x")], [], id="authentication"),
        pytest.param([(b"Content-Type", b"x"), (b"Content-Encoding", b"x")], [], id="content"),
        pytest.param(
            [(b"X-Forwarded-For", b"x"), (b"Forwarded", b"x")],
            [],
            id="proxies",
        ),
    ],
)
async def test_trailers_pass_unless_they_could_mean_something_in_a_head(
    trailers: list[Header], expected: list[Header] | None
) -> None:
    lines = b"".join(b"%b: %b\r\n" % trailer for trailer in trailers)
    async with way() as path:
        said = await path.said(chunked(b"5\r\nhello\r\n0\r\n" + lines + b"\r\n") + LAST)
        assert statuses(said) == [200, 200]
        wanted = trailers if expected is None else expected
        assert [*path.instance.seen[0].trailers] == wanted
        await path.assert_clean()


FORGED = [
    (b"K-Proxy-Request", b"queue"),
    (b"K-Original-Host", b"b"),
    (b"K-Network-Hash", b"override"),
    (b"Knative-Serving-Revision", b"other"),
    (b"Knative-Serving-Namespace", b"kube-system"),
]


async def test_headers_of_proxies_are_not_believed() -> None:
    lines = [b"%b: %b" % header for header in FORGED]
    async with way() as path:
        assert statuses(await path.said(head(*lines) + LAST)) == [200, 200]
        seen = path.instance.seen[0]
        assert seen.values(b"k-proxy-request") == [b"activator"]
        for name, _ in FORGED[1:]:
            assert seen.values(name.lower()) == []
        await path.assert_clean()


async def test_a_list_of_hops_grows_by_one_whatever_it_says() -> None:
    lines = (b"X-Forwarded-For: 1.1.1.1", b"x-forwarded-for: , ,", b"X-Forwarded-Host: evil")
    async with way() as path:
        assert statuses(await path.said(head(*lines) + LAST)) == [200, 200]
        seen = path.instance.seen[0]
        (hops,) = seen.values(b"x-forwarded-for")
        assert hops.startswith(b"1.1.1.1, ")
        assert hops.endswith(b", 127.0.0.1")
        assert seen.values(b"x-forwarded-host") == [b"evil"]
        await path.assert_clean()


async def test_connection_removes_the_clients_own_headers_and_never_ours() -> None:
    sent = head(
        b"Connection: X-Mine, X-Forwarded-For, K-Proxy-Request, Host, Cookie, , close-not",
        b"X-Mine: 1",
        b"X-Forwarded-For: 1.1.1.1",
        b"X-Yours: 2",
        b"Cookie: a",
        first=b"GET / HTTP/1.1",
    )
    async with way() as path:
        assert statuses(await path.said(sent + LAST)) == [200, 200]
        seen = path.instance.seen[0]
        assert seen.own == [(b"Host", HOST), (b"X-Yours", b"2")]
        assert seen.values(b"x-forwarded-for") == [b"127.0.0.1"]
        assert seen.values(b"k-proxy-request") == [b"activator"]
        await path.assert_clean()


@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
@pytest.mark.parametrize("lines", [[], [b"Host: b"], [b"Host:"]], ids=["none", "other", "empty"])
async def test_the_absolute_form_decides_the_host_for_everybody(
    version: bytes, lines: list[bytes]
) -> None:
    if version == b"1.1" and not lines:
        lines = [b"Host: c"]
    first = b"GET http://%b:80/a?b HTTP/%b" % (HOST, version)
    sent = b"\r\n".join((first, *lines, b"Connection: close", b"", b""))
    async with way() as path:
        assert statuses(await path.said(sent)) == [200]
        assert path.instance.seen[0].values(b"host") == [HOST + b":80"]
        assert path.instance.seen[0].values(b"x-forwarded-host") == [HOST + b":80"]
        await path.assert_clean()


async def test_a_host_with_blanks_around_it_is_that_host() -> None:
    async with way() as path:
        assert statuses(await path.said(head(host=b"\t " + HOST + b" \t") + LAST)) == [200, 200]
        await path.assert_clean()


SLOW = Limits(head_seconds=0.05, body_seconds=0.05)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(b"", [], id="nothing"),
        pytest.param(b"P", [], id="a-letter-that-could-begin-http2"),
        pytest.param(b"G", [408], id="a-letter"),
        pytest.param(b"GET /", [408], id="half-a-line"),
        pytest.param(b"GET / HTTP/1.1\r\n", [408], id="a-line"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\n", [408], id="a-header"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\n\r", [408], id="all-but-a-byte"),
        pytest.param(b"\r\n", [408], id="an-empty-line"),
    ],
)
async def test_a_head_that_does_not_come_ends_the_connection(
    sent: bytes, expected: list[int]
) -> None:
    async with way(limits=Limits(head_seconds=0.05, idle_seconds=0.1)) as path:
        assert statuses(await path.said(sent)) == expected
        assert path.instance.heads == []
        await path.assert_clean()


async def test_a_head_that_drips_ends_the_connection() -> None:
    async with way(limits=SLOW) as path, asyncio.timeout(PATIENCE):
        async with path.connected() as client:
            answer = asyncio.ensure_future(client.rest())
            client.send(b"GET / HTTP/1.1\r\nX: ")
            while not answer.done():
                client.send(b"x")
                await turns()
            assert statuses(await answer) == [408]
        await path.assert_clean()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(head(b"Content-Length: 5"), id="nothing"),
        pytest.param(head(b"Content-Length: 5") + b"hell", id="a-part"),
        pytest.param(chunked(b""), id="no-chunk"),
        pytest.param(chunked(b"5"), id="half-a-size"),
        pytest.param(chunked(b"5;a=b"), id="half-an-extension"),
        pytest.param(chunked(b"5\r\nhell"), id="half-a-chunk"),
        pytest.param(chunked(b"5\r\nhello\r\n"), id="no-last-chunk"),
        pytest.param(chunked(b"5\r\nhello\r\n0\r\n"), id="no-end"),
        pytest.param(chunked(b"5\r\nhello\r\n0\r\nA: b"), id="half-a-trailer"),
    ],
)
async def test_a_body_that_does_not_come_ends_the_request(body: bytes) -> None:
    async with way(limits=SLOW) as path:
        assert statuses(await path.said(body)) == [408]
        assert path.instance.seen == []
        assert [fact.status for fact in path.done()] == [0]
        await path.assert_clean()


async def test_a_connection_that_is_idle_is_closed() -> None:
    async with way(limits=Limits(idle_seconds=0.05)) as path:
        assert statuses(await path.said(head(first=b"GET / HTTP/1.1"))) == [200]
        await path.assert_clean()


async def test_one_connection_more_than_the_limit_is_closed_and_the_next_is_welcome() -> None:
    async with way(limits=Limits(connections=2)) as path:
        async with path.connected() as first, path.connected() as second:
            for client in (first, second):
                client.send(head(first=b"GET / HTTP/1.1"))
                await client.until(b"ok")
            assert await path.said(LAST) == b""
        await path.assert_clean()


@pytest.mark.parametrize(
    ("limits", "sent"),
    [
        pytest.param(Limits(header_count=3), head(*[b"X: y"] * 3), id="count"),
        pytest.param(Limits(head_bytes=200), head(b"X: " + b"y" * 200), id="bytes"),
        pytest.param(Limits(head_bytes=200), b"GET /" + b"x" * 200, id="target"),
    ],
)
async def test_limits_of_a_head_are_settings(limits: Limits, sent: bytes) -> None:
    async with way(limits=limits) as path:
        assert statuses(await path.said(sent)) == [431]
        assert path.instance.heads == []
        await path.assert_clean()


async def test_pipelined_requests_take_one_place_after_the_other() -> None:
    count = 200
    async with way() as path:
        path.instance.answer = lambda seen: answer(b"%b" % seen.target)
        requests = [head(first=b"GET /%d HTTP/1.1" % n) for n in range(count)]
        told = answers(await path.said(b"".join(requests) + LAST))
        assert [each.body for each in told] == [*(b"/%d" % n for n in range(count)), b"/last"]
        assert [seen.target for seen in path.instance.seen] == [each.body for each in told]
        await path.assert_clean()


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"GET / HT", id="in-a-head"),
        pytest.param(head(b"Content-Length: 5") + b"he", id="in-a-body"),
        pytest.param(chunked(b"5\r\nhello\r\n"), id="between-chunks"),
        pytest.param(head(first=b"GET / HTTP/1.1"), id="before-the-answer"),
        pytest.param(head(first=b"GET / HTTP/1.1") * 20, id="with-others-behind"),
        pytest.param(head(b"Expect: 100-continue", b"Content-Length: 5"), id="before-leave"),
        pytest.param(
            head(b"Connection: Upgrade", b"Upgrade: x", first=b"GET / HTTP/1.1"), id="while-asking"
        ),
    ],
)
@pytest.mark.parametrize("how", ["closed", "reset"])
async def test_a_client_that_leaves_leaves_nothing_behind(sent: bytes, how: str) -> None:
    async with way(lambda _: b"") as path:
        async with path.connected() as client:
            client.send(sent)
            await turns()
            if how == "closed":
                client.writer.write_eof()
                await client.rest()
        await eventually(lambda: not path.server.open)
        await path.assert_clean()


async def test_a_client_that_reads_nothing_is_cut_when_its_time_is_over() -> None:
    body = b"x" * (8 << 20)
    async with way(lambda _: answer(body), timeout=0.3) as path:
        async with path.connected() as client:
            client.writer.transport.pause_reading()
            client.send(head(first=b"GET / HTTP/1.1"))
            await eventually(path.done)
        assert len(path.done()) == 1
        await path.assert_clean()


@pytest.mark.parametrize("status", [b"200 OK", b"426 Upgrade Required", b"101 Nobody asked"])
async def test_what_follows_a_refused_upgrade_is_the_next_request(status: bytes) -> None:
    """And nothing else: not a part of another protocol, and not read twice."""
    said = b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n"
    async with way(lambda seen: OK if seen.target == b"/last" else said) as path:
        asking = head(b"Connection: Upgrade", b"Upgrade: websocket", first=b"GET /a HTTP/1.1")
        got = statuses(await path.said(asking + head(first=b"GET /b HTTP/1.1") + LAST))
        if status.startswith(b"101"):
            # A switch to nothing is no answer.
            assert got == [502, 502, 200]
        else:
            assert got == [int(status[:3])] * 2 + [200]
        assert [seen.target for seen in path.instance.seen] == [b"/a", b"/b", b"/last"]
        await path.assert_clean()


async def test_after_a_switch_nothing_is_a_request() -> None:
    switched = asyncio.Event()
    got: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhello")
        while piece := await reader.read(65536):
            got.append(piece)
            switched.set()
        writer.close()

    async with way(serve_instance=talk) as path:
        async with path.connected() as client:
            asking = head(b"Connection: Upgrade", b"Upgrade: x", first=b"GET /a HTTP/1.1")
            client.send(asking + SMUGGLED)
            assert (await client.until(b"hello")).startswith(b"HTTP/1.1 101 ")
            client.send(LAST)
            await eventually(lambda: b"".join(got) == SMUGGLED + LAST)
        await eventually(path.done)
        await eventually(lambda: not path.server.open)
        assert not path.reported
        assert next(path.activator.loads()).active == 0


async def test_leave_to_send_a_body_is_given_once() -> None:
    async with way() as path:
        async with path.connected() as client:
            client.send(head(b"Expect: 100-continue", b"Content-Length: 5"))
            assert await client.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            client.send(b"hello" + LAST)
            assert statuses(await client.rest()) == [200, 200]
        assert path.instance.seen[0].body == b"hello"
        await path.assert_clean()


async def test_a_client_that_does_not_wait_for_leave_is_served_once() -> None:
    """Its body must not be taken for a request, whether it was asked for or not."""
    async with way() as path:
        sent = head(b"Expect: 100-continue", b"Content-Length: %d" % len(SMUGGLED)) + SMUGGLED
        told = answers(await path.said(sent + LAST))
        assert [each.status for each in told] == [200, 200]
        assert [seen.target for seen in path.instance.seen] == [b"/a", b"/last"]
        await path.assert_clean()


@pytest.mark.parametrize("keep", [True, False])
async def test_a_client_of_1_0_is_served(keep: bool) -> None:
    lines = [b"Connection: keep-alive"] if keep else []
    sent = head(*lines, first=b"GET /a HTTP/1.0")
    async with way(
        lambda _: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS
    ) as path:
        # Without a length only the end of the connection ends the answer.
        (told,) = answers(await path.said(sent + LAST))
        assert (told.status, told.body, told.values(b"transfer-encoding")) == (200, b"hello", [])
        path.instance.answer = lambda _: OK
        assert statuses(await path.said(sent + LAST)) == ([200, 200] if keep else [200])
        await path.assert_clean()
