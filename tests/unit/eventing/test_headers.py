"""Headers that travel with an event (Eventing data plane reference §1.4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.eventing.headers import passing, travelled


@pytest.mark.parametrize(
    "name",
    ["x-request-id", "X-Request-ID", "Retry-After", "Knative-Foo", "x-b3-traceid", "X-B3-Sampled"],
)
def test_these_travel(name: str) -> None:
    assert passing([(name, "v")]) == ((name, "v"),)


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "Cookie",
        "User-Agent",
        "Kn-Namespace",
        "Prefer",
        "traceparent",
        "tracestate",
        "baggage",
        "ce-id",
        "Content-Type",
        "Host",
        "x-request-id-2",
        "x-b3",
        "knative",
    ],
)
def test_these_do_not(name: str) -> None:
    assert passing([(name, "v")]) == ()


def test_order_and_repetitions_stay() -> None:
    headers = [("knative-b", "1"), ("Host", "h"), ("knative-a", "2"), ("knative-b", "3")]
    assert passing(headers) == (("knative-b", "1"), ("knative-a", "2"), ("knative-b", "3"))


# Some travel, some do not.
NAMES = st.sampled_from(("X-Request-Id", "Knative-A", "x-b3-b", "Host", "x", "", "ce-knative-"))


@given(st.lists(st.tuples(NAMES, st.sampled_from(("", "v"))), max_size=6))
def test_what_has_passed_passes_again(headers: list[tuple[str, str]]) -> None:
    once = passing(headers)
    assert passing(once) == once


TRACE = ("traceparent", "00-" + "1" * 32 + "-" + "2" * 16 + "-01")


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(("knative-a", "1\r\nHost: x"), id="two-lines"),
        pytest.param(("knative-a", "\x00"), id="control"),
        pytest.param(("knative-a", "\u20ac"), id="no-byte"),
        pytest.param(("knative-a b", "x"), id="no-token"),
        pytest.param(("Host", "x"), id="host"),
        pytest.param(("Authorization", "x"), id="authorization"),
        pytest.param(("traceparent", "00-1"), id="no-trace"),
    ],
)
def test_nothing_comes_in_with_a_message_that_a_sender_could_not_have_sent(
    header: tuple[str, str],
) -> None:
    assert travelled((header, ("Knative-B", "caf\xe9"))) == (("Knative-B", "caf\xe9"),)


def test_of_a_message_the_first_trace_counts_and_comes_last() -> None:
    headers = (TRACE, ("TraceState", "a=b"), ("X-Request-Id", "1"), ("traceparent", "00-2"))
    assert travelled(headers) == (("X-Request-Id", "1"), ("tracestate", "a=b"), TRACE)
