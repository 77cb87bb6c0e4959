"""How much of the heads of requests is kept: all of it, unless clients send more than they use to.

A head may have 64 KiB, and what is kept of thousands must not. To weigh each as it comes would cost
every request half a microsecond; many at once take a third of that.
"""

from collections.abc import Container, Sequence
from dataclasses import replace

import msgspec

from knlite.facts import RequestDone
from knlite.telemetry.accesslog import shown_headers

USUAL = 4096
"""Bytes that a head has at most, in the mean of those that are weighed together."""
LONGEST = 2000
"""Bytes that are left of a value of one that is too heavy: as much as a row shows."""
EVENT_HEADERS = frozenset((b"ce-id", b"ce-type", b"ce-source"))
"""Those that say which event a request carries."""

_ENCODER = msgspec.msgpack.Encoder()


def are_heavy(some: Sequence[RequestDone]) -> bool:
    """Whether the heads of *some* have more than they use to, all in all."""
    heads = [(each.headers, each.target, each.host, each.request_id) for each in some]
    return len(_ENCODER.encode(heads)) > USUAL * len(some)


def lightened(done: RequestDone, also: Container[bytes]) -> RequestDone:
    """*done*; if its head is heavy, with what may be shown of it (and *also* those), cut."""
    if not are_heavy((done,)):
        return done
    cold = done.cold_start
    shown = shown_headers(done.headers, also)
    return msgspec.structs.replace(
        done,
        headers=[(name, value[:LONGEST]) for name, value in shown.items()],
        target=done.target[:LONGEST],
        host=done.host[:LONGEST],
        request_id=done.request_id[:LONGEST],
        cold_start=None if cold is None else replace(cold, request=cold.request[:LONGEST]),
    )
