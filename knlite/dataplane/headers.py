"""What a hop adds to and removes from headers, as functions of lists.

Between the client and an instance Knative has three proxies (ingress, activator, queue-proxy); here
they are one hop, so each header is edited once, in one pass:

* hop-by-hop headers go, in both directions (RFC 9110 §7.6.1), and so do the framing headers, which
  the wire writes anew;
* X-Forwarded-For gets the client's address appended; -Proto, -Host and X-Request-Id are set if
  absent;
* Forwarded is made from them if the client sent none (RFC 7239);
* ``K-Proxy-Request: activator`` reaches the instance; the headers by which proxies speak to each
  other do not.

Source: Knative reference §3.2, §3.3; upstream knative/networking pkg/http/header/header.go,
knative/serving pkg/queue/forwarded_shim.go, Go's net/http/httputil/reverseproxy.go.
Differs: one hop appends one address to X-Forwarded-For, where activator and queue-proxy append one
each. Differs: K-Original-Host of a client is removed and not believed; only proxies that do not
exist here may set it. Not here: WebSocket, for which Upgrade would have to stay.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

Header = tuple[bytes, bytes]

_HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"http2-settings",
        b"content-length",
    )
)
_BETWEEN_PROXIES = frozenset(
    (
        b"expect",
        b"k-network-hash",
        b"k-original-host",
        b"k-proxy-request",
        b"knative-serving-namespace",
        b"knative-serving-revision",
    )
)
_NOT_ONWARD = _HOP_BY_HOP | _BETWEEN_PROXIES
_NEVER_NAMED = frozenset((b"", b"close", b"host"))
"""Words of Connection that remove nothing; a client must not be able to remove Host."""
_SET = frozenset(
    (b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-request-id", b"forwarded")
)
_SET_LENGTHS = frozenset(map(len, _SET))


def relayed(headers: Iterable[Header]) -> list[Header]:
    """Return what may pass a proxy: no hop-by-hop, no framing."""
    return _without(headers, _HOP_BY_HOP)


def to_instance(
    headers: Sequence[Header],
    *,
    client: str,
    host: bytes,
    proto: bytes,
    new_request_id: Callable[[], bytes],
) -> list[Header]:
    """Return the headers of a request as the instance gets them.

    *client* is the address of the other end, *host* the Host as the client gave it (it stays as it
    is), *proto* ``http`` or ``https``.
    """
    kept = _without(headers, _NOT_ONWARD)
    peer = client.partition("%")[0].encode()
    said = [header for header in kept if len(header[0]) in _SET_LENGTHS]
    found: dict[bytes, bytes] = {}
    for name, value in said:
        lower = name.lower()
        if lower in _SET:
            # The client's own list may be spread over several lines (RFC 9110 §5.3).
            found[lower] = found[lower] + b", " + value if lower in found else value
    if not found:
        kept += _of_first_hop(peer, host, proto)
        kept.append((b"X-Request-Id", new_request_id()))
        return kept
    if b"x-forwarded-for" in found:
        kept = [header for header in kept if header[0].lower() != b"x-forwarded-for"]
        hops = found[b"x-forwarded-for"] + b", " + peer
    else:
        hops = peer
    shown_host = found.get(b"x-forwarded-host", host)
    shown_proto = found.get(b"x-forwarded-proto", proto)
    kept += (
        header
        for header in _of_hop(hops, shown_host, shown_proto)
        if header[0] == b"X-Forwarded-For" or header[0].lower() not in found
    )
    if b"x-request-id" not in found:
        kept.append((b"X-Request-Id", new_request_id()))
    return kept


def forwarded(hops: bytes, host: bytes, proto: bytes) -> bytes:
    """Return the value of Forwarded for the three X-Forwarded ones; an empty one is left out."""
    addresses = [_node(hop.strip()) for hop in hops.split(b",") if hop.strip()]
    first = [b"for=" + addresses[0]] if addresses else []
    if host:
        first.append(b"host=" + host)
    if proto:
        first.append(b"proto=" + proto)
    rest = [b"for=" + address for address in addresses[1:]]
    return b", ".join((b";".join(first), *rest))


def _of_hop(hops: bytes, host: bytes, proto: bytes) -> tuple[Header, ...]:
    return (
        (b"X-Forwarded-For", hops),
        (b"X-Forwarded-Proto", proto),
        (b"X-Forwarded-Host", host),
        (b"Forwarded", forwarded(hops, host, proto)),
        (b"K-Proxy-Request", b"activator"),
    )


_of_first_hop = lru_cache(maxsize=1024)(_of_hop)
"""Most requests come from few clients to few hosts, and all of this follows from the two."""


def _node(address: bytes) -> bytes:
    if b":" in address and not address.startswith((b"[", b'"')):
        return b'"[' + address + b']"'
    return address


def _without(headers: Iterable[Header], names: frozenset[bytes]) -> list[Header]:
    kept = []
    named: set[bytes] = set()
    for header in headers:
        lower = header[0].lower()
        if lower not in names:
            kept.append(header)
        elif lower == b"connection":
            named.update(word.strip().lower() for word in header[1].split(b","))
    named -= names
    named -= _NEVER_NAMED
    if named:
        kept = [header for header in kept if header[0].lower() not in named]
    return kept
