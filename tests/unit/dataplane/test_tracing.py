"""The traceparent of a request's own span."""

import random

import pytest

from knlite.dataplane.tracing import Tracing
from knlite.eventing.trace import Sampler

TRACE, SENDER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HOST, STATE = (b"Host", b"a"), (b"tracestate", b"x=y")


@pytest.fixture
def tracing() -> Tracing:
    found = Tracing(random.Random(1).getrandbits)
    found.sampler = Sampler()
    return found


def test_it_is_a_child_of_what_the_client_sent(tracing: Tracing) -> None:
    sent = (b"TraceParent", f"00-{TRACE}-{SENDER}-01".encode())
    traceparent, headers = tracing.hop([HOST, sent, STATE])
    version, trace, span, flags = traceparent.decode().split("-")
    assert (version, trace, flags) == ("00", TRACE, "01")
    assert span != SENDER
    assert list(headers) == [HOST, STATE]


@pytest.mark.parametrize("flag", ["00", "01"])
def test_who_does_not_want_spans_gets_none(tracing: Tracing, flag: str) -> None:
    sent = (b"traceparent", f"00-{TRACE}-{SENDER}-{flag}".encode())
    assert tracing.hop([sent])[0].decode()[-2:] == flag


def test_without_one_a_trace_begins(tracing: Tracing) -> None:
    first, headers = tracing.hop([HOST])
    assert headers == [HOST]
    assert first[:36] != tracing.hop([HOST])[0][:36]


def test_what_is_none_is_replaced_with_what_belongs_to_it(tracing: Tracing) -> None:
    traceparent, headers = tracing.hop([HOST, (b"traceparent", b"forged\xff"), STATE])
    assert len(traceparent) == 55
    assert list(headers) == [HOST]
