"""Where a message of HTTP/1.1 ends, and how heads are written: the rules that guard the framing.

A proxy that sees another end of a message than the server behind it can be made to smuggle a
request; so whatever is ambiguous is refused, never repaired. Syntax itself (tokens, bare LF,
doubled Content-Length, Transfer-Encoding beside it) is refused by the parser, which is strict.

Source: RFC 9112 §3.2 (target, Host), §6 (message body), §9.3 (persistence), §11 (attacks); RFC 9110
§4.2.4 (userinfo), §6.5 (trailers), §7.2 (Host), §7.8 (Upgrade), §10.1.1 (Expect); RFC 3986 §3.2
(authority). No I/O here.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

HEAD_LIMIT = 64 * 1024
"""Bytes of one head: request or status line, names and values; also of trailers."""
HEADER_COUNT_LIMIT = 256
LENGTH_DIGITS = 18
"""Of a Content-Length; with more it overflows somewhere (RFC 9110 §8.6), or is zeros for fun."""

Headers = Sequence[tuple[bytes, bytes]]
"""Names as they were written, in their order."""

LAST_CHUNK = b"0\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Framing(NamedTuple):
    """What a request's head says about the connection and about what follows.

    A tuple because one is made for every request.
    """

    host: bytes
    length: int | None
    """Bytes of the body; None when it comes in chunks."""
    expects_continue: bool
    upgrade: bytes
    """The protocol asked for instead of HTTP, in lower case."""
    headers: list[tuple[bytes, bytes]]
    """Those that are not about the connection."""


class AnswerFraming(NamedTuple):
    """What an answer's head says about what follows."""

    length: int | None
    """Bytes of the body, as said; to HEAD and with 304 those that a GET would get."""
    chunked: bool
    headers: list[tuple[bytes, bytes]]
    """Those that are not about the connection."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that is answered without being handed on; the connection closes after it.

    Or an answer that is not handed on.
    """

    status: int
    why: str


def request_framing(
    method: bytes, target: bytes, version: str, headers: list[tuple[bytes, bytes]]
) -> Framing | Refusal:
    """Judge the head of a request."""
    if version not in _VERSIONS:
        return Refusal(505, f"HTTP/{version} is not spoken here")
    if method == b"CONNECT":
        return Refusal(501, "CONNECT is not supported")
    host: bytes | None = None
    length = 0
    chunked = expects = False
    connection = upgrade = b""
    kept = []
    for header in headers:
        lower = header[0].lower()
        if lower not in _TELLING:
            kept.append(header)
            continue
        value = header[1].strip(b" \t")
        if lower == b"host":
            if host is not None:
                return Refusal(400, "more than one Host header")
            if value and not is_authority(value):
                return Refusal(400, "malformed Host header")
            host = value
            kept.append(header)
        elif lower == b"content-length":
            if len(value) > LENGTH_DIGITS:
                return Refusal(400, "Content-Length overflow")
            length = int(value)
        elif lower == b"connection":
            connection += b"," + value.lower()
        elif lower == b"upgrade":
            upgrade = value.lower()
        elif lower == b"transfer-encoding":
            if version == "1.0":
                return Refusal(400, "Transfer-Encoding in a request of HTTP/1.0")
            if chunked or value.lower() != b"chunked":
                return Refusal(501, "no transfer coding but chunked is supported")
            chunked = True
        elif lower == b"expect":
            if value.lower() != b"100-continue":
                return Refusal(417, "no expectation but 100-continue is supported")
            expects = version == "1.1"
        elif lower == b"te" and b"trailers" in value.lower():
            kept.append(_TRAILERS)
    if host is None:
        if version == "1.1":
            return Refusal(400, "missing Host header")
        host = b""
    if _FRAGMENT in target:
        return Refusal(400, "a fragment in the target")
    if not target.startswith(b"/"):
        absolute = _absolute_form(target)
        if absolute is not None:
            # Overrides Host, for whoever comes after us as well (RFC 9112 §3.2.2).
            host = absolute[1]
            kept = [header for header in kept if header[0].lower() != b"host"]
            kept.insert(0, (b"Host", host))
        elif target != b"*" or method != b"OPTIONS":
            return Refusal(400, "malformed target")
    with_body = chunked or length > 0
    if upgrade and (
        with_body or not _is_asked_for(connection) or version == "1.0" or b"h2c" in upgrade
    ):
        # A server may ignore Upgrade (RFC 9110 §7.8). HTTP/2 is spoken with prior knowledge only
        # (RFC 9113 §3.1), even if others are offered beside it: through a tunnel with it a client
        # could send requests that nobody counts and whose headers nobody checks. And what follows
        # a body would be a third framing on one connection.
        upgrade = b""
    return Framing(
        host,
        None if chunked else length,
        expects and with_body,
        upgrade,
        _without_named(kept, connection) if connection else kept,
    )


def answer_framing(headers: list[tuple[bytes, bytes]]) -> AnswerFraming | Refusal:
    """Judge the head of an answer, whose syntax the parser has accepted.

    It knows more codings than we undo, and would hand on their bytes as the body.
    """
    length: int | None = None
    chunked = False
    connection = b""
    kept = []
    for header in headers:
        lower = header[0].lower()
        if lower not in BETWEEN_NEIGHBOURS:
            kept.append(header)
        elif lower == b"content-length":
            value = header[1].strip(b" \t")
            if len(value) > LENGTH_DIGITS:
                return Refusal(502, "Content-Length overflow")
            length = int(value)
        elif lower == b"transfer-encoding":
            if chunked or header[1].strip(b" \t").lower() != b"chunked":
                return Refusal(502, "no transfer coding but chunked is supported")
            chunked = True
        elif lower == b"connection":
            connection += b"," + header[1].lower()
    if connection:
        kept = _without_named(kept, connection)
    return AnswerFraming(length, chunked, kept)


def _without_named(
    headers: list[tuple[bytes, bytes]], connection: bytes
) -> list[tuple[bytes, bytes]]:
    """Leave out what *connection*, a Connection header, names (RFC 9110 §7.6.1)."""
    if connection in _NAMING_NOTHING:
        return headers
    named = frozenset(word.strip() for word in connection.split(b",")) - _NEVER_NAMED
    return [header for header in headers if header[0].lower() not in named]


_VERSIONS = frozenset(("1.1", "1.0"))
_FRAGMENT = ord("#")
"""To look for a number among bytes takes a quarter of the time that looking for bytes takes."""
_AUTHORITY = (
    rb"(?:[A-Za-z0-9._~!$&'()*+;=%-]+|\[[0-9A-Fa-f:.]+(?:%25[A-Za-z0-9._~-]+)?\])(?::[0-9]*)?"
)
"""Without a comma, which is allowed in a name but which others take for the end of one."""
is_authority = re.compile(_AUTHORITY).fullmatch
_absolute_form = re.compile(rb"(?i:https?)://(" + _AUTHORITY + rb")(?:[/?].*)?").fullmatch
BETWEEN_NEIGHBOURS = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"transfer-encoding",
        b"upgrade",
        b"http2-settings",
        b"content-length",
        b"expect",
    )
)
"""Headers between two neighbours, which an intermediary keeps to itself and writes anew."""
_TELLING = BETWEEN_NEIGHBOURS | {b"host"}
_NAMING_NOTHING = frozenset((b",keep-alive", b",close", b",upgrade", b",keep-alive, upgrade"))
_is_asked_for = re.compile(rb",[ \t]*upgrade[ \t]*(?:,|\Z)").search
_NEVER_NAMED = frozenset((b"", b"close", b"host", b"te"))
"""Words of Connection that remove nothing; a client must not be able to remove Host, and
``TE: trailers`` stays, since trailers pass."""
_TRAILERS = (b"TE", b"trailers")


def lookup(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """Return the first value of *name*, which is given in lower case."""
    for key, value in headers:
        if len(key) == len(name) and key.lower() == name:
            return value
    return None


class Repeated(list[tuple[bytes, bytes]]):
    """Headers that come again and again on one connection, with what is made of them each time."""

    __slots__ = ("lines", "onward")

    def __init__(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        super().__init__(headers)
        self.lines = b""
        """As they stand in a head, without the last line end; empty until they are written."""
        self.onward: Any = None
        """What the next hop gets for them. The wire only keeps it; its maker knows its type."""


def request_head(
    method: bytes, target: bytes, headers: Headers, framing: bytes, also: Headers = ()
) -> bytes:
    """Write a request's head; *framing* is empty or whole header lines."""
    return _head(b"%b %b HTTP/1.1\r\n" % (method, target), headers, framing, also)


def answer_head(status: int, reason: bytes, headers: Headers, framing: bytes) -> bytes:
    """Write an answer's head; *framing* is empty or whole header lines."""
    return _head(b"HTTP/1.1 %d %b\r\n" % (status, reason), headers, framing)


def too_large(headers: Headers, count_limit: int, size_limit: int) -> bool:
    """Whether *headers*, or trailers, exceed a limit."""
    return len(headers) > count_limit or size(headers) > size_limit


def size(headers: Headers) -> int:
    """Bytes of *headers* in a head."""
    return sum(len(name) + len(value) + 4 for name, value in headers)


def chunk(data: bytes) -> bytes:
    """Wrap *data*, which is not empty, as one chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def last_chunk(trailers: Headers) -> bytes:
    """End chunks; what must not be a trailer is left out."""
    return _head(b"0\r\n", allowed_trailers(trailers), b"") if trailers else LAST_CHUNK


def allowed_trailers(trailers: Headers) -> Headers:
    """Leave out what must not be a trailer (RFC 9110 §6.5.1).

    Who comes next may add trailers to the headers; so nothing passes that in a head would mean
    framing, routing, whose request it is, or how to read the content.
    """
    return [trailer for trailer in trailers if trailer[0].lower() not in _NO_TRAILER]


_NO_TRAILER = _TELLING | {
    b"authorization",
    b"content-encoding",
    b"content-range",
    b"content-type",
    b"cookie",
    b"forwarded",
    b"max-forwards",
    b"set-cookie",
    b"trailer",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-proto",
}


def _head(first: bytes, headers: Headers, framing: bytes, also: Headers = ()) -> bytes:
    """Raises ValueError where a CR, LF or NUL in a part would split the message."""
    ends = 2 * (len(headers) + len(also) + 2 + framing.count(b"\n"))
    for header in also:
        framing += b"%b: %b\r\n" % header
    if not headers:
        head = b"%b%b\r\n" % (first, framing)
    elif headers.__class__ is Repeated:
        lines = headers.lines or _lines(headers)
        headers.lines = lines
        head = b"%b%b\r\n%b\r\n" % (first, lines, framing)
    else:
        head = b"%b%b\r\n%b\r\n" % (first, _lines(headers), framing)
    if len(head) - len(head.translate(None, b"\r\n\0")) != ends:
        raise ValueError("a line end inside a header would split the message")
    return head


def _lines(headers: Headers) -> bytes:
    return b"\r\n".join(map(b": ".join, headers))
