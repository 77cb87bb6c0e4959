"""One HTTP exchange of a verb: a request, and the answer as it comes.

By the standard library alone, as ``client.py``.
"""

import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from ipaddress import ip_address
from time import perf_counter
from urllib.parse import SplitResult, urlsplit

from knlite.errors import InvalidInput, Unreachable

Headers = tuple[tuple[str, str], ...]

CONNECT = 10.0
"""Seconds to connect."""
PIECE = 64 * 1024
LOOPBACK = "127.0.0.1"
_STAGE = re.compile(r"([\w-]+)\s*;[^,]*?dur=([0-9.]+)")
_UNSAFE = re.compile(r"[^\x21-\x7e]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request."""

    url: str
    method: str = "POST"
    headers: Headers = ()
    body: bytes | None = None
    through: str = ""
    """HOST:PORT to connect to instead of the URL's own, which no name service may know."""


@dataclass(slots=True)
class Reply:
    """The answer to a call; its body is read once, by ``pieces`` or ``body``."""

    url: str
    status: int
    reason: str
    headers: Headers
    first_byte: float
    """Seconds from the call to the head of the answer."""
    _answer: HTTPResponse = field(repr=False)

    def pieces(self) -> Iterator[bytes]:
        """The body as it comes. Raises ``Unreachable`` if it is cut off."""
        while piece := self._piece():
            yield piece

    def body(self) -> bytes:
        """All of it."""
        return b"".join(self.pieces())

    def _piece(self) -> bytes:
        with _explained(self.url):
            piece = self._answer.read1(PIECE)
            if not piece and self._answer.length:
                raise IncompleteRead(piece, self._answer.length)
            return piece

    def header(self, name: str) -> str:
        """The first header of that name (in lower case), else nothing."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    def stages(self) -> Mapping[str, float]:
        """What the gateway tells of the cold start behind it: milliseconds by stage, in order."""
        return {
            found[1]: float(found[2]) for found in _STAGE.finditer(self.header("server-timing"))
        }


@contextmanager
def exchanged(call: Call, seconds: float, *, insecure: bool = False) -> Iterator[Reply]:
    """The answer to *call*, whose parts may take *seconds* each.

    *insecure* trusts any certificate. Raises ``InvalidInput``, ``Unreachable``.
    """
    parts = place_of(call.url)
    for name, value in call.headers:
        if not value.isprintable():
            # Not the value: it may be a password.
            raise InvalidInput(
                f"the header {name} cannot be sent", cause="it has a line end, or the like"
            )
    target = parts.path or "/"
    if parts.query:
        target = f"{target}?{parts.query}"
    with ExitStack() as held:
        with _explained(call.url):
            connection = held.enter_context(closing(_connected(parts, call.through, insecure)))
            if connection.sock is not None:
                connection.sock.settimeout(seconds)
            began = perf_counter()
            connection.putrequest(call.method, target, skip_host=True, skip_accept_encoding=True)
            given = {name.lower() for name, _ in call.headers}
            if "host" not in given:
                connection.putheader("Host", parts.netloc.rpartition("@")[2])
            for name, value in call.headers:
                connection.putheader(name, value.encode())
            if call.body is not None and "content-length" not in given:
                connection.putheader("Content-Length", str(len(call.body)))
            connection.endheaders(call.body)
            answer = connection.getresponse()
            first_byte = perf_counter() - began
        head = tuple(answer.getheaders())
        yield Reply(call.url, answer.status, answer.reason, head, first_byte, answer)


def place_of(url: str) -> SplitResult:
    """*url* taken apart. Raises ``InvalidInput`` if it is none of HTTP."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname)
        valid = valid and _UNSAFE.search(url) is None and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = False
        parts = SplitResult("", "", "", "", "")
    if not valid:
        raise InvalidInput(f'"{url}" is no URL', fix="write http://HOST:PORT/PATH")
    return parts


def _connected(parts: SplitResult, through: str, insecure: bool) -> HTTPConnection:
    near = urlsplit(f"//{through}") if through else parts
    host, port = _resolvable(near.hostname or ""), near.port
    if parts.scheme == "https":
        context = ssl.create_default_context()
        if insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        connection: HTTPConnection = HTTPSConnection(host, port, timeout=CONNECT, context=context)
    else:
        connection = HTTPConnection(host, port, timeout=CONNECT)
    connection.connect()
    return connection


def _resolvable(host: str) -> str:
    """*host*, or loopback for names that mean it although not every resolver knows (RFC 6761)."""
    if host == "localhost" or host.endswith(".localhost"):
        return LOOPBACK
    try:
        # The address "any" is where one listens, not where one connects to.
        return LOOPBACK if ip_address(host).is_unspecified else host
    except ValueError:
        return host


@contextmanager
def _explained(url: str) -> Iterator[None]:
    try:
        yield
    except (OSError, HTTPException) as exc:
        raise Unreachable(f"{url} does not answer", cause=_cause(exc)) from exc


def _cause(exc: Exception) -> str:
    if isinstance(exc, IncompleteRead):
        return "its answer was cut off"
    return str(exc) or type(exc).__name__
