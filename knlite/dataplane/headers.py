"""What a hop adds to and removes from headers, as functions of lists.

Between the client and an instance Knative has three proxies (ingress, activator, queue-proxy); here
they are one hop, so each header is edited once, in one pass:

* X-Forwarded-For gets the client's address appended; -Proto, -Host and X-Request-Id are set if
  absent;
* Forwarded is made from them if the client sent none (RFC 7239);
* ``K-Proxy-Request: activator`` reaches the instance while the activator is in the path; the
  headers by which proxies speak to each other do not;
* all others pass as they are, ``traceparent`` among them.

Source: Knative reference §3.2, §3.3; upstream knative/networking pkg/http/header/header.go,
knative/serving pkg/queue/forwarded_shim.go, Go's net/http/httputil/reverseproxy.go.
Differs: one hop appends one address to X-Forwarded-For, where activator and queue-proxy append one
each. Differs: K-Original-Host of a client is removed and not believed; only proxies that do not
exist here may set it.
Not here: headers between two neighbours and framing, which the wire keeps to itself
(``wire/framing.py``).
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from knlite.dataplane.wire.framing import Repeated

Header = tuple[bytes, bytes]

_BETWEEN_PROXIES = frozenset(
    (
        b"k-network-hash",
        b"k-original-host",
        b"k-proxy-request",
        b"knative-serving-namespace",
        b"knative-serving-revision",
    )
)
_SET = frozenset(
    (b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-request-id", b"forwarded")
)
_TOUCHED = _BETWEEN_PROXIES | _SET
_PROXIED = (b"K-Proxy-Request", b"activator")
_TOKEN = re.compile(rb"[0-9A-Za-z!#$%&'*+.^_`|~-]+")


class Onward(NamedTuple):
    """What an instance gets of a request's headers."""

    headers: Sequence[Header]
    request_id: bytes
    """X-Request-Id, if the client has sent one; else it is still to be added."""


def to_instance(
    headers: Sequence[Header], *, client: str, host: bytes, proto: bytes, proxied: bool = True
) -> Onward:
    """Return the headers of a request as the instance gets them.

    *client* is the address of the other end, *host* the Host as the client gave it (it stays as it
    is), *proto* ``http`` or ``https``, *proxied* whether the activator is in the path.
    """
    if headers.__class__ is not Repeated:
        return _onward(headers, client, host, proto, proxied)
    # Several clients may say the same, and what they get into the instance's sight differs.
    made: tuple[bool, bytes, str, bytes, Onward] | None = headers.onward
    if (
        made is None
        or made[0] is not proxied
        or made[1] != host
        or made[2] != client
        or made[3] != proto
    ):
        kept, request_id = _onward(headers, client, host, proto, proxied)
        made = headers.onward = (
            proxied,
            host,
            client,
            proto,
            Onward(Repeated(kept), request_id),
        )
    return made[4]


def _onward(
    headers: Iterable[Header], client: str, host: bytes, proto: bytes, proxied: bool
) -> Onward:
    kept = []
    found: dict[bytes, bytes] = {}
    for header in headers:
        lower = header[0].lower()
        if lower not in _TOUCHED:
            kept.append(header)
        elif lower in _SET:
            # The client's own list may be spread over several lines (RFC 9110 §5.3).
            value = header[1]
            found[lower] = found[lower] + b", " + value if lower in found else value
            if lower != b"x-forwarded-for":
                kept.append(header)
    if proxied:
        kept.append(_PROXIED)
    if not found:
        kept += _of_first_hop(client, host, proto)
        return Onward(kept, b"")
    peer = _peer(client)
    before = found.get(b"x-forwarded-for")
    hops = before + b", " + peer if before is not None else peer
    shown_host = found.get(b"x-forwarded-host", host)
    shown_proto = found.get(b"x-forwarded-proto", proto)
    kept += (
        header
        for header in _of_hop(hops, shown_host, shown_proto)
        if header[0] == b"X-Forwarded-For" or header[0].lower() not in found
    )
    return Onward(kept, found.get(b"x-request-id", b""))


def with_set(headers: Sequence[Header], added: Sequence[Header]) -> Sequence[Header]:
    """Return *headers* with *added* in the place of those that have the same names."""
    if not added:
        return headers
    names = {name.lower() for name, _ in added}
    return [*(each for each in headers if each[0].lower() not in names), *added]


def forwarded(hops: bytes, host: bytes, proto: bytes) -> bytes:
    """Return the value of Forwarded for the three X-Forwarded ones; an empty one is left out."""
    addresses = [_node(hop.strip()) for hop in hops.split(b",") if hop.strip()]
    first = [b"for=" + addresses[0]] if addresses else []
    if host:
        first.append(b"host=" + _value(host))
    if proto:
        first.append(b"proto=" + _value(proto))
    rest = [b"for=" + address for address in addresses[1:]]
    return b", ".join((b";".join(first), *rest))


def _value(text: bytes) -> bytes:
    """*text* as it is, or quoted when it is no token (RFC 7239 §4), as with a port in it."""
    if _TOKEN.fullmatch(text):
        return text
    return b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _of_hop(hops: bytes, host: bytes, proto: bytes) -> tuple[Header, ...]:
    return (
        (b"X-Forwarded-For", hops),
        (b"X-Forwarded-Proto", proto),
        (b"X-Forwarded-Host", host),
        (b"Forwarded", forwarded(hops, host, proto)),
    )


@lru_cache(maxsize=1024)
def _of_first_hop(client: str, host: bytes, proto: bytes) -> tuple[Header, ...]:
    """Most requests come from few clients to few hosts, and all of this follows from the two."""
    return _of_hop(_peer(client), host, proto)


def _peer(client: str) -> bytes:
    return client.partition("%")[0].encode()


def _node(address: bytes) -> bytes:
    if b":" in address and not address.startswith((b"[", b'"')):
        return b'"[' + address + b']"'
    return address
