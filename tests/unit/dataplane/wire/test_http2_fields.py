"""What heads mean and how they are written (RFC 9113 §8.2, §8.3). Faults: ``test_http2.py``."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.dataplane.wire.framing import Refusal
from knlite.dataplane.wire.http2_fields import (
    Malformed,
    RequestHead,
    read_answer,
    read_request,
    read_trailers,
    write_answer,
    write_request,
    write_trailers,
)

Fields = list[tuple[bytes, bytes]]

PSEUDO: Fields = [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/")]
AUTHORITY = (b":authority", b"a.b:80")


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        pytest.param([*PSEUDO, AUTHORITY], [(b"host", b"a.b:80")], id="authority"),
        pytest.param(
            [*PSEUDO, (b"x", b"y"), (b"host", b"c")], [(b"host", b"c"), (b"x", b"y")], id="host"
        ),
        pytest.param([*PSEUDO, AUTHORITY, (b"host", b"A.b:80")], [(b"host", b"a.b:80")], id="both"),
        pytest.param(
            [*PSEUDO, AUTHORITY, (b"cookie", b"a=1"), (b"x", b""), (b"cookie", b"b=2")],
            [(b"host", b"a.b:80"), (b"cookie", b"a=1; b=2"), (b"x", b"")],
            id="cookies",
        ),
        pytest.param(
            [*PSEUDO, AUTHORITY, (b"te", b"trailers"), (b"a", b"1"), (b"a", b"2")],
            [(b"host", b"a.b:80"), (b"te", b"trailers"), (b"a", b"1"), (b"a", b"2")],
            id="order",
        ),
    ],
)
def test_the_headers_of_a_request(fields: Fields, headers: Fields) -> None:
    head = read_request(fields, ended=True)
    assert isinstance(head, RequestHead)
    assert head.headers == headers
    assert head.host == headers[0][1]


@pytest.mark.parametrize(
    ("fields", "ended", "length", "expects"),
    [
        pytest.param([], True, 0, False, id="none"),
        pytest.param([], False, None, False, id="unknown"),
        pytest.param([(b"content-length", b"5")], False, 5, False, id="known"),
        pytest.param([(b"content-length", b"5")] * 2, False, 5, False, id="twice-the-same"),
        pytest.param([(b"content-length", b"0")], True, 0, False, id="zero"),
        pytest.param([(b"expect", b"100-Continue")], False, None, True, id="expects"),
        pytest.param([(b"expect", b"100-continue")], True, 0, False, id="expects-for-nothing"),
    ],
)
def test_the_body_of_a_request(
    fields: Fields, ended: bool, length: int | None, expects: bool
) -> None:
    head = read_request([*PSEUDO, AUTHORITY, *fields], ended=ended)
    assert isinstance(head, RequestHead)
    assert (head.length, head.expects_continue) == (length, expects)


@pytest.mark.parametrize("value", [b"-1", b"+1", b"1, 1", b"", b"x", b"9" * 30])
def test_a_length_is_digits(value: bytes) -> None:
    with pytest.raises(Malformed):
        read_request([*PSEUDO, AUTHORITY, (b"content-length", value)], ended=False)
    with pytest.raises(Malformed):
        read_request(
            [*PSEUDO, AUTHORITY, (b"content-length", b"1"), (b"content-length", b"2")], ended=False
        )


@given(st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=20))), st.booleans())
def test_whatever_comes_is_read_refused_or_malformed(fields: Fields, ended: bool) -> None:
    for given_fields in (fields, [*PSEUDO, AUTHORITY, *fields]):
        try:
            head = read_request(given_fields, ended=ended)
        except Malformed:
            continue
        assert isinstance(head, RequestHead | Refusal)
    try:
        read_answer([(b":status", b"200"), *fields], b"GET", ended=ended)
        read_trailers(fields)
    except Malformed:
        pass


NAMES = st.text("abcdefghijklmnopqrstuvwxyz-0123456789", min_size=1).map(str.encode)
VALUES = st.binary().filter(
    lambda value: not set(value) & {0, 10, 13} and value.strip(b" \t") == value
)
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=8).map(
    lambda headers: [
        (b"x-" + name.title(), value) for name, value in headers if name != b"content-length"
    ]
)


@given(HEADERS)
def test_what_is_written_is_read_again(headers: Fields) -> None:
    lower = [(name.lower(), value) for name, value in headers]
    request = read_request(
        write_request(b"POST", b"/p?q", [(b"Host", b"a"), *headers], 3), ended=False
    )
    assert isinstance(request, RequestHead)
    assert (request.headers, request.length) == ([(b"host", b"a"), *lower], 3)
    answer = read_answer(write_answer(404, headers, 3), b"GET", ended=False)
    assert (answer.status, answer.length) == (404, 3)
    assert answer.headers == lower
    assert read_trailers(write_trailers(headers)) == lower


@pytest.mark.parametrize("bad", [b"a\nb", b"a\rb", b"a\0b"])
def test_what_would_split_a_head_is_never_written(bad: bytes) -> None:
    for headers in ([(b"x", bad)], [(bad, b"x")], [(b"x y", b"z")], [(b":status", b"1")]):
        with pytest.raises(ValueError, match=r"header|split"):
            write_answer(200, headers, None)
        with pytest.raises(ValueError, match=r"header|split"):
            write_trailers(headers)
        with pytest.raises(ValueError, match=r"header|split"):
            write_request(b"GET", b"/", headers, None)
    for method, target, host in ((bad, b"/", b"a"), (b"GET", bad, b"a"), (b"GET", b"/", bad)):
        with pytest.raises(ValueError, match="split"):
            write_request(method, target, [(b"Host", host)], None)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        pytest.param(b"/a?b", b"/a?b", id="origin"),
        pytest.param(b"http://a/b?c=http://d", b"/b?c=http://d", id="absolute"),
        pytest.param(b"http://a", b"/", id="absolute-without-path"),
        pytest.param(b"*", b"*", id="star"),
    ],
)
def test_a_path_is_made_of_every_form_of_a_target(target: bytes, path: bytes) -> None:
    fields = write_request(b"OPTIONS", target, [(b"Host", b"a")], None)
    assert (b":path", path) in fields


@pytest.mark.parametrize(
    ("method", "length", "announced"),
    [
        pytest.param(b"GET", 0, None, id="get"),
        pytest.param(b"POST", 0, b"0", id="post"),
        pytest.param(b"POST", None, None, id="unknown"),
        pytest.param(b"GET", 5, b"5", id="get-with-body"),
    ],
)
def test_a_length_is_announced_where_it_is_expected(
    method: bytes, length: int | None, announced: bytes | None
) -> None:
    fields = dict(write_request(method, b"/", [(b"Host", b"a")], length))
    assert fields.get(b"content-length") == announced


def test_what_must_not_be_a_trailer_is_not_written() -> None:
    assert write_trailers([(b"Host", b"b"), (b"Grpc-Status", b"0")]) == [(b"grpc-status", b"0")]
