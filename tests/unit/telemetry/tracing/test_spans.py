"""Facts as spans."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from knlite.facts import (
    ColdStart,
    DeliveryAttempted,
    EgressChanged,
    EventAccepted,
    RequestDone,
    SourceSent,
)
from knlite.telemetry.tracing.ofevents import (
    spans_of_acceptance,
    spans_of_delivery,
    spans_of_source,
)
from knlite.telemetry.tracing.ofrequests import spans_of_request
from knlite.telemetry.tracing.span import Kind, Span

AT = datetime(2026, 1, 2, tzinfo=UTC)
MICROS = int(AT.timestamp() * 1e6)
TRACE, SPAN, OTHER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "b7ad6b7169203331"
OURS = f"00-{TRACE}-{SPAN}-01"
UNWANTED = f"00-{TRACE}-{SPAN}-00"


def request(**fields: Any) -> RequestDone:
    usual = {
        "at": AT, "namespace": "default", "service": "hello", "revision": "hello-00001",
        "instance": "hello-1", "method": "GET", "status": 200, "seconds": 1.0, "cold": False,
        "target": b"/a", "host": b"hello.default.localhost", "trace": OURS.encode(),
    }  # fmt: skip
    return RequestDone(**(usual | fields))


def attempt(**fields: Any) -> DeliveryAttempted:
    usual = {
        "at": AT, "kind": "Broker", "namespace": "shop", "name": "main", "egress_kind": "Trigger",
        "egress_namespace": "shop", "egress_name": "orders", "egress_uid": "u",
        "arrival": MICROS - 3_000_000, "event_id": "1", "event_type": "paid", "leg": "subscriber",
        "target": "http://a.test/x", "attempt": 1, "status": 200, "outcome": "delivered",
        "seconds": 0.5, "trace": OURS,
    }  # fmt: skip
    return DeliveryAttempted(**(usual | fields))


def accepted(**fields: Any) -> EventAccepted:
    usual = {
        "at": AT, "kind": "Broker", "namespace": "shop", "name": "main", "resource_uid": "b",
        "arrival": MICROS, "attributes": {"id": "1", "source": "/s", "type": "paid"},
        "content_type": None, "data": b"secret", "ttl": 255, "sender": "me",
        "headers": (("traceparent", OURS),), "readers": ("u",),
    }  # fmt: skip
    return EventAccepted(**(usual | fields))


def egress(uid: str, text: str) -> EgressChanged:
    return EgressChanged(
        at=AT, since=0, kind="Broker", namespace="shop", name="main", resource_uid="b",
        egress_kind="Trigger", egress_namespace="shop", egress_name=uid, egress_uid=uid,
        filter_spec=text,
    )  # fmt: skip


def test_a_request_is_a_child_of_what_its_client_sent() -> None:
    sent = f"00-{TRACE}-{OTHER}-01".encode()
    (span,) = spans_of_request(request(headers=[(b"Traceparent", sent)]))
    assert span.parent is not None
    assert (f"{span.context.span:016x}", f"{span.parent.span:016x}") == (SPAN, OTHER)
    assert (span.end - span.start, span.kind, span.error) == (10**9, Kind.SERVER, "")


def test_a_request_that_got_no_instance_says_why() -> None:
    why = "hello-00001 did not start: it ended with exit code 1"
    waited, queued = spans_of_request(request(instance="", status=503, cold=True, why=why))
    assert waited.error == why
    assert waited.attributes["error.type"] == "503"
    assert (queued.name, queued.attributes["knlite.why"]) == ("queued", why)


def test_a_cold_start_is_all_of_its_requests_time() -> None:
    cold = ColdStart(
        at=AT, namespace="default", service="hello", revision="hello-00001", instance="hello-1",
        queued=0.1, created=0.2, started=0.3, ready=0.6, forwarded=0.6, first_byte=0.9,
        how="spawned",
    )  # fmt: skip
    whole, *stages = spans_of_request(request(cold=True, cold_start=cold, first_byte=0.9))
    assert [stage.name for stage in stages] == [
        "queued",
        "prepare",
        "create",
        "ready",
        "app",
        "body",
    ]
    assert {stage.parent for stage in stages} == {whole.context}
    assert stages[0].start == whole.start
    assert stages[-1].end == pytest.approx(whole.end, abs=1000)
    assert whole.attributes["faas.coldstart"] is True


def test_an_attempt_belongs_to_the_trigger_and_that_to_what_took_the_event() -> None:
    taken = accepted(arrival=MICROS - 3_000_000)
    (broker,) = spans_of_acceptance(taken, (), 0, 0)
    sent, trigger = spans_of_delivery(attempt(ended=True))
    assert (sent.parent, trigger.parent) == (trigger.context, broker.context)
    assert trigger.end - trigger.start == 3 * 10**9
    # Another attempt, and another trigger, are told apart.
    (retried,) = spans_of_delivery(attempt(outcome="retrying", status=503))
    (elsewhere,) = spans_of_delivery(attempt(egress_uid="other"))
    assert retried.parent == trigger.context != elsewhere.parent


def test_a_dead_letter_is_no_error_of_its_own() -> None:
    refused = attempt(outcome="failed", status=400, why="no")
    buried = attempt(outcome="dead-lettered", leg="dead letter sink", status=202, ended=True)
    (failed,) = spans_of_delivery(refused)
    sent, trigger = spans_of_delivery(buried)
    assert (failed.error, sent.error, trigger.error) == ("no", "", "")
    assert trigger.attributes["knlite.ended"] == "dead-lettered"


def test_who_wants_an_event_is_told_and_what_is_in_it_is_not() -> None:
    paid, failed = (
        '{"filter":{"attributes":{"type":"paid"}}}',
        '{"filters":[{"exact":{"type":"x"}}]}',
    )
    (span,) = spans_of_acceptance(accepted(), (egress("u", paid), egress("v", failed)), 0, 0)
    told = {moment.attributes["knlite.egress"]: moment.attributes for moment in span.moments}
    assert told["trigger:u.shop"]["knlite.wanted"] is True
    assert told["trigger:v.shop"]["knlite.wanted"] is False
    assert told["trigger:v.shop"]["knlite.filter"]
    assert "secret" not in repr(span)


def test_a_source_begins_a_trace() -> None:
    sent = SourceSent(
        at=AT, kind="PingSource", namespace="shop", name="tick", event_id="1", event_type="t",
        target="http://me:secret@a.test/x?key=secret", attempts=6, status=503, outcome="failed",
        why="it answered 503", seconds=3.0, trace=OURS,
    )  # fmt: skip
    (span,) = spans_of_source(sent)
    assert (span.name, span.parent, span.error) == ("pingsource:tick.shop", None, "it answered 503")
    assert span.attributes["messaging.destination.name"] == "http://a.test/x"
    assert "secret" not in repr(span)


@pytest.mark.parametrize("trace", ["", UNWANTED])
def test_what_nobody_wants_makes_no_span(trace: str) -> None:
    assert list(spans_of_request(request(trace=trace.encode()))) == []
    assert list(spans_of_delivery(attempt(trace=trace, ended=True))) == []
    assert list(spans_of_acceptance(accepted(headers=(("traceparent", trace),)), (), 0, 0)) == []


def test_what_an_earlier_run_has_told_is_not_told_again() -> None:
    assert list(spans_of_acceptance(accepted(again=True), (), 0, 0)) == []


def test_an_event_that_waits_has_not_been_sent() -> None:
    assert list(spans_of_delivery(attempt(outcome="waiting", attempt=0))) == []


@given(st.text(), st.binary(max_size=64))
def test_nothing_that_anybody_writes_stops_it(text: str, raw: bytes) -> None:
    headers = [(b"traceparent", raw), (b"user-agent", raw), (b"ce-id", raw)]
    hostile = request(method=text, target=raw, host=raw, headers=headers, request_id=raw)
    named = accepted(attributes={"id": text, "type": text, "traceparent": text}, sender=text)
    spans: list[Span] = [
        *spans_of_request(hostile),
        *spans_of_delivery(attempt(target=text, why=text, event_id=text)),
        *spans_of_acceptance(named, (egress("u", text),), 0, 0),
    ]
    assert [span.context.trace for span in spans] == [int(TRACE, 16)] * 3


def test_texts_are_cut() -> None:
    long = structs.replace(request(), target=b"/" + b"x" * 10_000)
    (span,) = spans_of_request(long)
    assert len(str(span.attributes["url.path"])) == 1024
