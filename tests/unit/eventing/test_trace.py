"""Traces of events (W3C Trace Context §3)."""

import pytest

from knlite.eventing.trace import begun, child

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def bits(count: int) -> int:
    return 2**count - 1


def test_a_trace_goes_on_with_what_belongs_to_it() -> None:
    headers = [
        ("TraceParent", f" {PARENT} "),
        ("Tracestate", "a=b"),
        ("Baggage", "c=d"),
        ("Other", "x"),
        ("traceparent", "another"),
    ]
    assert begun(headers, bits) == (
        ("tracestate", "a=b"),
        ("baggage", "c=d"),
        ("traceparent", PARENT),
    )


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "nonsense",
        PARENT.upper(),
        f"{PARENT}-more",
        PARENT.replace("00-4b", "ff-4b"),
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01",
        PARENT[:-1],
    ],
)
def test_without_one_a_trace_begins_and_knows_no_vendor(parent: str) -> None:
    headers = [("traceparent", parent), ("tracestate", "a=b"), ("baggage", "c=d")]
    fresh = f"00-{'f' * 32}-{'f' * 16}-01"
    assert begun(headers, bits) == (("baggage", "c=d"), ("traceparent", fresh))


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    parent = f"01{PARENT[2:]}-what-the-future-brings"
    assert begun([("traceparent", parent)], bits) == (("traceparent", parent),)
    assert child(parent, bits) == f"{PARENT[:36]}{'f' * 16}-01"


def test_a_child_has_the_same_trace_and_flags_and_a_span_of_its_own() -> None:
    assert child(PARENT, bits) == f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'f' * 16}-01"


def test_no_id_is_zero() -> None:
    assert begun([], lambda _: 0) == (("traceparent", f"00-{1:032x}-{1:016x}-01"),)
    assert child(PARENT, lambda _: 0).split("-")[2] == f"{1:016x}"
