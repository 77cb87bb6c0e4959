"""The framing of heads (RFC 9112 §3.2, §6; RFC 9110 §7.6.1, §7.8)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.dataplane.wire.framing import (
    LAST_CHUNK,
    AnswerFraming,
    Framing,
    Refusal,
    answer_framing,
    answer_head,
    last_chunk,
    request_framing,
)

Header = tuple[bytes, bytes]
HOST = (b"Host", b"a")


def framed(*headers: Header, version: str = "1.1", target: bytes = b"/") -> Framing:
    found = request_framing(b"GET", target, version, [HOST, *headers])
    assert isinstance(found, Framing)
    return found


@pytest.mark.parametrize(
    "name",
    [
        b"Connection",
        b"Keep-Alive",
        b"Proxy-Connection",
        b"Proxy-Authorization",
        b"TE",
        b"Upgrade",
        b"HTTP2-Settings",
    ],
)
def test_what_is_between_neighbours_stays_there(name: bytes) -> None:
    assert framed((name, b"1"), (b"X", b"1")).headers == [HOST, (b"X", b"1")]
    found = answer_framing([(name, b"1"), (b"X", b"1")])
    assert isinstance(found, AnswerFraming)
    assert found.headers == [(b"X", b"1")]


def test_what_connection_names_is_removed_but_never_host() -> None:
    found = framed((b"Connection", b"close, X-Mine , host"), (b"x-mine", b"1"))
    assert found.headers == [HOST]


def test_te_trailers_stays_since_trailers_pass() -> None:
    found = framed((b"Connection", b"te"), (b"te", b"gzip, Trailers"), (b"Trailer", b"X"))
    assert found.headers == [HOST, (b"TE", b"trailers"), (b"Trailer", b"X")]


@pytest.mark.parametrize(
    ("headers", "version", "upgrade"),
    [
        (
            [(b"Connection", b"keep-alive, Upgrade"), (b"Upgrade", b"WebSocket")],
            "1.1",
            b"websocket",
        ),
        ([(b"Upgrade", b"websocket")], "1.1", b""),
        ([(b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")], "1.0", b""),
        ([(b"Connection", b"Upgrade"), (b"Upgrade", b"h2c")], "1.1", b""),
        ([(b"Connection", b"Upgrade"), (b"Upgrade", b"websocket, h2c")], "1.1", b""),
        ([(b"Connection", b"noupgrade"), (b"Upgrade", b"websocket")], "1.1", b""),
        ([(b"Connection", b"a upgrade"), (b"Upgrade", b"websocket")], "1.1", b""),
        (
            [(b"Connection", b"upgrade"), (b"Upgrade", b"x"), (b"Content-Length", b"1")],
            "1.1",
            b"",
        ),
    ],
    ids=["asked", "not-in-connection", "1.0", "h2c", "h2c-too", "part", "two-words", "with-body"],
)
def test_an_upgrade_is_asked_for_or_ignored(
    headers: list[Header], version: str, upgrade: bytes
) -> None:
    assert framed(*headers, version=version).upgrade == upgrade


@pytest.mark.parametrize("target", [b"http://b:1?x", b"HTTPS://b:1/", b"http://b:1"])
def test_the_absolute_form_names_the_host_also_for_whoever_comes_next(target: bytes) -> None:
    found = framed((b"X", b"1"), target=target)
    assert found.host == b"b:1"
    assert found.headers == [(b"Host", b"b:1"), (b"X", b"1")]


def test_the_absolute_form_names_the_host_of_a_client_that_sends_none() -> None:
    found = request_framing(b"GET", b"http://b/", "1.0", [])
    assert isinstance(found, Framing)
    assert found.headers == [(b"Host", b"b")]


@pytest.mark.parametrize(
    ("method", "target"),
    [
        (b"GET", b"/a#b"),
        (b"GET", b"http://b/#"),
        (b"GET", b"http://a@b/"),
        (b"GET", b"http:///"),
        (b"GET", b"http://"),
        (b"GET", b"http://b,c/"),
        (b"GET", b"ftp://b/"),
        (b"GET", b"*"),
        (b"OPTIONS", b"*a"),
    ],
)
def test_a_target_that_could_be_read_in_two_ways_is_refused(method: bytes, target: bytes) -> None:
    found = request_framing(method, target, "1.1", [HOST])
    assert isinstance(found, Refusal)
    assert found.status == 400


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b"a",
        b"a_b.c:80",
        b"a.b.",
        b"a:",
        b"127.0.0.1:80",
        b"[::1]",
        b"[::ffff:1.2.3.4]:80",
        b"[fe80::1%25en0]:80",
        b"%41",
        b" a\t",
    ],
)
def test_a_host_may_be(host: bytes) -> None:
    found = request_framing(b"GET", b"/", "1.1", [(b"Host", host)])
    assert isinstance(found, Framing)
    assert found.host == host.strip()


@pytest.mark.parametrize(
    "host",
    [b"a b", b"a,b", b"a/b", b"b@a", b"a#", b"a:b", b"a:1:2", b"[a", b"[::1]b", b"\xe9", b":1"],
)
def test_a_host_may_not_be(host: bytes) -> None:
    assert isinstance(request_framing(b"GET", b"/", "1.1", [(b"Host", host)]), Refusal)


@pytest.mark.parametrize(
    "headers",
    [
        [(b"Transfer-Encoding", b"gzip, chunked")],
        [(b"Transfer-Encoding", b"chunked, gzip")],
        [(b"Transfer-Encoding", b"xchunked")],
        [(b"Transfer-Encoding", b"identity")],
        [(b"Transfer-Encoding", b"chunked"), (b"transfer-encoding", b"chunked")],
        [(b"Content-Length", b"9" * 19)],
        [(b"Content-Length", b"0" * 5_000)],
    ],
)
def test_an_answer_whose_end_or_coding_is_not_ours_is_refused(headers: list[Header]) -> None:
    assert isinstance(answer_framing(headers), Refusal)


@pytest.mark.parametrize("digits", [b"9" * 19, b"0" * 5_000])
def test_a_length_of_too_many_digits_is_refused(digits: bytes) -> None:
    assert framed((b"Content-Length", b"9" * 18)).length == 10**18 - 1
    length = (b"Content-Length", digits)
    assert isinstance(request_framing(b"GET", b"/", "1.1", [HOST, length]), Refusal)


def test_blanks_around_a_value_mean_nothing() -> None:
    found = framed((b"Expect", b"\t100-continue "), (b"Content-Length", b"1 "))
    assert found.expects_continue
    found = framed((b"Connection", b"Upgrade "), (b"Upgrade", b" websocket\t"))
    assert found.upgrade == b"websocket"


names = st.sampled_from([b"A", b"b", b"Connection", b"TE", b"Upgrade", b"Keep-Alive"])
values = st.sampled_from([b"a", b"b, close", b"te", b"host", b"trailers", b""])


@given(st.lists(st.tuples(names, values)))
def test_framing_twice_removes_no_more_than_once(headers: list[Header]) -> None:
    once = framed(*headers).headers
    assert framed(*once[1:]).headers == once
    assert [h for h in [HOST, *headers] if h in once] == [h for h in once if h in [HOST, *headers]]


@pytest.mark.parametrize(
    "name",
    [b"Content-Length", b"HOST", b"te", b"Expect", b"Authorization", b"Cookie", b"Forwarded"],
)
def test_a_trailer_cannot_change_framing_routing_or_who_asks(name: bytes) -> None:
    sent = last_chunk([(name, b"3"), (b"grpc-status", b"0")])
    assert sent == b"0\r\ngrpc-status: 0\r\n\r\n"
    assert last_chunk([(name, b"3")]) == LAST_CHUNK


@given(st.lists(st.tuples(st.binary(max_size=4), st.binary(max_size=4)), max_size=4))
def test_a_head_has_as_many_lines_as_headers_or_is_not_written(headers: list[Header]) -> None:
    try:
        head = answer_head(200, b"OK", headers, b"Content-Length: 3\r\n")
    except ValueError:
        assert any(
            end in part for header in headers for part in header for end in (b"\r", b"\n", b"\0")
        )
    else:
        assert len(head.split(b"\r\n")) == len(headers) + 4


def test_a_second_host_is_refused() -> None:
    assert isinstance(request_framing(b"GET", b"/", "1.1", [HOST, HOST]), Refusal)
