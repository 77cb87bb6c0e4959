"""What the fields of a head mean in HTTP/2, and how heads are written: rules, no I/O.

The library's own checks are switched off: they make every fault one of the whole connection, and
look at each byte in turn. These make it one of the stream (RFC 9113 §8.1.1). What could become
something else in HTTP/1.1, where requests may be relayed to, is refused here: spaces in a target,
line ends, headers of the connection, lengths that differ (RFC 9113 §10.3).

Source: RFC 9113 §8.1.1 (malformed), §8.2 (fields), §8.3 (pseudo-header fields); RFC 9110 §10.1.1
(Expect).
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from hpack import NeverIndexedHeaderTuple

from knlite.dataplane.wire.exchange import Header, Headers
from knlite.dataplane.wire.framing import (
    BETWEEN_NEIGHBOURS,
    HEAD_LIMIT,
    HEADER_COUNT_LIMIT,
    Refusal,
    allowed_trailers,
    is_authority,
)

_FIELD_OVERHEAD = 32
"""Added for each field to the size of a list (RFC 9113 §6.5.2)."""

_is_name = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+").fullmatch
_is_method = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_is_target = re.compile(rb"/[!\"$-~]*|\*").fullmatch
_is_bad_value = re.compile(rb"[\0\r\n]|\A[ \t]|[ \t]\Z").search
_splits = re.compile(rb"[\0\r\n]").search

_OF_CONNECTION = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade")
)
"""RFC 9113 §8.2.2."""
_SECRET = frozenset((b"authorization", b"cookie", b"proxy-authorization", b"set-cookie"))
"""Never put in a table that a guess could be compared with (RFC 7541 §7.1.3)."""
_EXPECT_BODY = frozenset((b"POST", b"PUT", b"PATCH"))
"""Sent with a Content-Length even when it is 0 (RFC 9110 §8.6)."""
_BODILESS = frozenset((204, 304))


class Malformed(Exception):
    """A head must be treated as an error of its stream (RFC 9113 §8.1.1)."""


class RequestHead(NamedTuple):
    """A request's head."""

    method: bytes
    target: bytes
    headers: list[Header]
    """Host first."""
    host: bytes
    length: int | None
    """Bytes of the body; 0 if none comes, None if it is not known."""
    expects_continue: bool


class AnswerHead(NamedTuple):
    """An answer's head."""

    status: int
    headers: list[Header]
    length: int | None
    """As the receiver is told."""
    body_length: int | None
    """Bytes that must come; differs with HEAD and 304."""


def read_request(
    fields: Iterable[Header],
    *,
    ended: bool,
    head_bytes: int = HEAD_LIMIT,
    header_count: int = HEADER_COUNT_LIMIT,
) -> RequestHead | Refusal:
    """Judge a request's head; *ended* if no body follows. Raises ``Malformed``."""
    pseudo: dict[bytes, bytes] = {}
    headers: list[Header] = []
    length: int | None = None
    host: bytes | None = None
    cookie_at = -1
    expect = b""
    regular = False
    size = 0
    for name, value in fields:
        size += len(name) + len(value) + _FIELD_OVERHEAD
        if name[:1] == b":":
            if regular or name in pseudo or name not in _OF_REQUEST:
                raise Malformed("misplaced pseudo-header field")
            pseudo[name] = value
            continue
        regular = True
        _check(name, value)
        if name == b"cookie":
            # RFC 9113 §8.2.3: may come in pieces.
            if cookie_at >= 0:
                headers[cookie_at] = (name, headers[cookie_at][1] + b"; " + value)
                continue
            cookie_at = len(headers)
        elif name == b"content-length":
            length = _length(value, length)
        elif name == b"host":
            if host is not None:
                raise Malformed("more than one Host")
            host = value
            continue
        elif name == b"expect":
            expect = value.lower()
        if name not in BETWEEN_NEIGHBOURS or name == b"te":
            headers.append((name, value))
    if size > head_bytes or len(headers) > header_count:
        return Refusal(431, "the request's head is too large")
    method = pseudo.get(b":method", b"")
    if not _is_method(method):
        raise Malformed(":method is missing or not a token")
    if method == b"CONNECT":
        return Refusal(501, "CONNECT is not supported")
    target = pseudo.get(b":path", b"")
    if not (
        _is_target(target) and pseudo.get(b":scheme") and (target != b"*" or method == b"OPTIONS")
    ):
        raise Malformed(":path or :scheme is missing or malformed")
    authority = pseudo.get(b":authority")
    if authority is None:
        authority = host
        if authority is None:
            return Refusal(400, "missing :authority and Host")
    elif host is not None and host.lower() != authority.lower():
        raise Malformed(":authority and Host differ")
    if authority and not is_authority(authority):
        raise Malformed(":authority is malformed")
    if expect and expect != b"100-continue":
        return Refusal(417, "no expectation but 100-continue is supported")
    if ended:
        if length:
            raise Malformed("a Content-Length, and no body")
        length = 0
    headers.insert(0, (b"host", authority))
    return RequestHead(method, target, headers, authority, length, bool(expect) and not ended)


def read_answer(fields: Iterable[Header], method: bytes, *, ended: bool) -> AnswerHead:
    """Judge the head of an answer to *method*, final or interim. Raises ``Malformed``."""
    status = 0
    headers: list[Header] = []
    length: int | None = None
    regular = False
    size = 0
    for name, value in fields:
        size += len(name) + len(value) + _FIELD_OVERHEAD
        if name[:1] == b":":
            if regular or status or name != b":status" or not _is_status(value):
                raise Malformed("misplaced pseudo-header field")
            status = int(value)
            continue
        regular = True
        _check(name, value)
        if name == b"content-length":
            length = _length(value, length)
        if name not in BETWEEN_NEIGHBOURS:
            headers.append((name, value))
    if size > HEAD_LIMIT or len(headers) > HEADER_COUNT_LIMIT:
        raise Malformed("the answer's head is too large")
    if not status or status == 101:
        # RFC 9113 §8.6: there is no 101.
        raise Malformed(":status is missing or 101")
    body_length = length
    if method == b"HEAD" or status in _BODILESS:
        body_length = 0
        if status == 204:
            length = 0
    elif ended:
        if length:
            raise Malformed("a Content-Length, and no body")
        length = body_length = 0
    return AnswerHead(status, headers, length, body_length)


def read_trailers(fields: Iterable[Header]) -> list[Header]:
    """Judge trailers (RFC 9113 §8.1). Raises ``Malformed``."""
    trailers = []
    for name, value in fields:
        # No pseudo-header field passes as a name.
        _check(name, value)
        trailers.append((name, value))
    if len(trailers) > HEADER_COUNT_LIMIT:
        raise Malformed("too many trailers")
    return trailers


def write_request(
    method: bytes, target: bytes, headers: Headers, length: int | None
) -> list[Header]:
    """Write a request's head; a *length* of None is not announced, 0 where it is expected.

    Raises ValueError if a part would split a head of HTTP/1.1.
    """
    authority: bytes | None = None
    fields: list[Header] = []
    for name, value in headers:
        name = name.lower()
        if name == b"host":
            authority = value
        elif name == b"te":
            # RFC 9113 §8.2.2: nothing else of it may pass.
            if b"trailers" in value.lower():
                fields.append((name, b"trailers"))
        elif name != b"http2-settings":
            _add(fields, name, value)
    if length or (length == 0 and method in _EXPECT_BODY):
        fields.append((b"content-length", b"%d" % length))
    if not target.startswith(b"/") and b"://" in target:
        # The absolute form is one of HTTP/1.1; what it says beside the path is in Host.
        target = b"/" + target.partition(b"://")[2].partition(b"/")[2]
    if _splits(method + target + (authority or b"")):
        raise ValueError(_SPLIT)
    head = [(b":method", method), (b":scheme", b"http"), (b":path", target)]
    if authority is not None:
        head.append((b":authority", authority))
    return head + fields


def write_answer(status: int, headers: Headers, length: int | None) -> list[Header]:
    """Write an answer's head; a *length* of None is not announced.

    Raises ValueError if a header contains a line end.
    """
    fields: list[Header] = [(b":status", b"%d" % status)]
    for name, value in headers:
        _add(fields, name.lower(), value)
    if length is not None:
        fields.append((b"content-length", b"%d" % length))
    return fields


def write_trailers(trailers: Headers) -> list[Header]:
    """Write trailers that are allowed. Raises ValueError if one contains a line end."""
    fields: list[Header] = []
    for name, value in allowed_trailers(trailers):
        _add(fields, name.lower(), value)
    return fields


def bodiless(method: bytes, status: int) -> bool:
    """Whether an answer never has a body (RFC 9110 §6.4.1)."""
    return method == b"HEAD" or status in _BODILESS


_OF_REQUEST = frozenset((b":method", b":scheme", b":authority", b":path"))
_SPLIT = "a line end inside a header would split the message"

_is_status = re.compile(rb"[1-9][0-9][0-9]").fullmatch
_is_length = re.compile(rb"[0-9]{1,18}").fullmatch


def _check(name: bytes, value: bytes) -> None:
    if not _is_name(name) or name in _OF_CONNECTION or _is_bad_value(value):
        raise Malformed(f"the field {name[:64]!r} is not allowed")
    if name == b"te" and value.lower() != b"trailers":
        raise Malformed("TE has another value than trailers")


def _length(value: bytes, known: int | None) -> int:
    if not _is_length(value) or known not in (None, int(value)):
        raise Malformed("Content-Length is malformed, or differs")
    return int(value)


def _add(fields: list[Header], name: bytes, value: bytes) -> None:
    """Add a header of ours, in the only form that may be sent (RFC 9113 §8.2.1)."""
    if not _is_name(name):
        raise ValueError(f"{name!r} is not the name of a header")
    if name in _OF_CONNECTION:
        return
    if _is_bad_value(value):
        if _splits(value):
            raise ValueError(_SPLIT)
        value = value.strip(b" \t")
    fields.append(NeverIndexedHeaderTuple(name, value) if name in _SECRET else (name, value))
