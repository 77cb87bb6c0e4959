"""Headers that travel with an event (Eventing data plane reference §1.4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.eventing.headers import passing


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
