"""The framing of heads (RFC 9112 §3.2, §6; RFC 9110 §7.6.1, §7.8)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.dataplane.wire.framing import (
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
    assert answer_framing([(name, b"1"), (b"X", b"1")]).headers == [(b"X", b"1")]


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
        (
            [(b"Connection", b"upgrade"), (b"Upgrade", b"x"), (b"Content-Length", b"1")],
            "1.1",
            b"",
        ),
    ],
    ids=["asked", "not-in-connection", "1.0", "h2c", "with-body"],
)
def test_an_upgrade_is_asked_for_or_ignored(
    headers: list[Header], version: str, upgrade: bytes
) -> None:
    assert framed(*headers, version=version).upgrade == upgrade


def test_the_absolute_form_names_the_host() -> None:
    assert framed(target=b"http://b:1?x").host == b"b:1"


names = st.sampled_from([b"A", b"b", b"Connection", b"TE", b"Upgrade", b"Keep-Alive"])
values = st.sampled_from([b"a", b"b, close", b"te", b"host", b"trailers", b""])


@given(st.lists(st.tuples(names, values)))
def test_framing_twice_removes_no_more_than_once(headers: list[Header]) -> None:
    once = framed(*headers).headers
    assert framed(*once[1:]).headers == once
    assert [h for h in [HOST, *headers] if h in once] == [h for h in once if h in [HOST, *headers]]


def test_a_trailer_cannot_change_framing_or_routing() -> None:
    sent = last_chunk([(b"Content-Length", b"3"), (b"grpc-status", b"0"), (b"Host", b"b")])
    assert sent == b"0\r\ngrpc-status: 0\r\n\r\n"


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
