"""An event as spans: what took it, each trigger that wanted it, and each attempt to deliver it.

    broker:default.default                 the broker takes it
    └ trigger:orders.default               until nothing more happens at this trigger
      ├ send subscriber                    an attempt; the instance's request is below it
      ├ send subscriber                    the next one, after a pause
      └ send reply
        └ broker:default.default           the reply is taken in its turn

Ids of spans that no header names follow from what everybody knows of them, so that a reader of
facts keeps nothing: that of what took an event from its arrival, that of a trigger from the
trigger's uid as well.

Source: Eventing data plane reference §10 (names, attributes); OpenTelemetry's semantic conventions
for messaging and CloudEvents.
Differs: upstream has names of its own for what a span tells of an event (``cloudevents.type``), and
leaves out its id, which people look for. What a filter has said is told
of every trigger, of those that did not want the event as well. The ``traceparent`` extension of an
event is a link, where upstream passes it over.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from urllib.parse import urlsplit, urlunsplit

from knlite.eventing import trace
from knlite.facts import DeliveryAttempted, EgressChanged, EventAccepted, SourceSent
from knlite.telemetry.tracing.span import (
    LONGEST,
    Attribute,
    Context,
    Kind,
    Moment,
    Span,
    context_of,
    derived,
    nanoseconds,
)
from knlite.telemetry.xray import event_of, verdict_of

VERDICTS = 100
"""As many are told of one event."""
_TOLD = {
    "type": "cloudevents.event_type",
    "source": "cloudevents.event_source",
    "id": "cloudevents.event_id",
    "subject": "cloudevents.event_subject",
    "specversion": "cloudevents.event_spec_version",
}


def spans_of_acceptance(
    fact: EventAccepted, egresses: Iterable[EgressChanged], kept: int, size: int
) -> Iterator[Span]:
    """*egresses* are those that the resource has; at *kept* it was known that the event is kept,
    whose data has *size* bytes."""
    parent = _sampled(fact.headers[-1][1]) if fact.headers else None
    if parent is None or fact.again:
        return
    start = nanoseconds(fact.at)
    attributes: dict[str, Attribute] = {
        **_of_resource(fact.kind, fact.namespace, fact.name),
        **_of_event(fact.attributes),
        "messaging.operation.name": "receive",
        "messaging.destination.name": _resource(fact),
        "messaging.message.body.size": size,
        "knlite.arrival": fact.arrival,
        "knlite.sender": fact.sender[:LONGEST],
        "knlite.log": fact.engine,
    }
    if fact.replay_of:
        attributes["knlite.replay_of"] = fact.replay_of
    carried = fact.attributes.get(trace.TRACEPARENT, "").strip()
    yield Span(
        name=_resource(fact),
        kind=Kind.SERVER,
        context=_acceptance(parent.trace, fact.arrival),
        parent=parent,
        start=start,
        end=max(start, kept),
        attributes=attributes,
        moments=tuple(_verdicts(fact, egresses, start)),
        links=(context_of(carried),) if carried and trace.is_parent(carried) else (),
    )


def spans_of_delivery(fact: DeliveryAttempted) -> Iterator[Span]:
    """The attempt; if it was the last, the whole of what happened at its egress as well."""
    context = _sampled(fact.trace)
    if context is None:
        return
    egress = _egress(context.trace, fact)
    end = nanoseconds(fact.at)
    common: dict[str, Attribute] = {
        **_of_resource(fact.kind, fact.namespace, fact.name),
        "messaging.destination.name": _egress_name(fact),
        "cloudevents.event_id": fact.event_id[:LONGEST],
        "cloudevents.event_type": fact.event_type[:LONGEST],
        "knlite.arrival": fact.arrival,
    }
    if fact.outcome != "waiting":
        yield _attempt(fact, context, egress, end, common)
    if fact.ended:
        bad = fact.outcome == "failed"
        attributes = {**common, "messaging.operation.name": "process", "knlite.ended": fact.outcome}
        yield Span(
            name=_egress_name(fact),
            kind=Kind.CONSUMER,
            context=egress,
            parent=_acceptance(context.trace, fact.arrival),
            start=min(fact.arrival * 1000, end),
            end=end,
            attributes=attributes,
            error=(fact.why or "not delivered")[:LONGEST] if bad else "",
        )


def spans_of_source(fact: SourceSent) -> Iterator[Span]:
    """Where a trace begins that no program has begun."""
    context = _sampled(fact.trace)
    if context is None:
        return
    end = nanoseconds(fact.at)
    attributes: dict[str, Attribute] = {
        "messaging.system": "knative",
        "messaging.operation.name": "send",
        "messaging.destination.name": _address(fact.target),
        "kn.source.name": fact.name,
        "kn.source.namespace": fact.namespace,
        "kn.source.kind": fact.kind,
        "cloudevents.event_id": fact.event_id[:LONGEST],
        "cloudevents.event_type": fact.event_type[:LONGEST],
        "knlite.attempts": fact.attempts,
    }
    if fact.status:
        attributes["http.response.status_code"] = fact.status
    yield Span(
        name=f"{fact.kind.lower()}:{fact.name}.{fact.namespace}",
        kind=Kind.PRODUCER,
        context=context,
        parent=None,
        start=end - int(fact.seconds * 1e9),
        end=end,
        attributes=attributes,
        error=fact.why[:LONGEST] if fact.outcome == "failed" else "",
    )


def _attempt(
    fact: DeliveryAttempted,
    context: Context,
    egress: Context,
    end: int,
    common: Mapping[str, Attribute],
) -> Span:
    attributes: dict[str, Attribute] = {
        **common,
        "messaging.operation.name": "send",
        "http.request.method": "POST",
        "url.full": _address(fact.target),
        "server.address": urlsplit(_address(fact.target)).hostname or "",
        "knlite.leg": fact.leg,
        "knlite.attempt": fact.attempt,
        "knlite.outcome": fact.outcome,
    }
    bad = fact.outcome in {"retrying", "failed"}
    if fact.attempt > 1:
        attributes["http.request.resend_count"] = fact.attempt - 1
    if fact.status:
        attributes["http.response.status_code"] = fact.status
    if bad:
        attributes["error.type"] = str(fact.status) if fact.status else "no answer"
    if fact.why:
        attributes["knlite.why"] = fact.why[:LONGEST]
    if fact.next_in is not None:
        attributes["knlite.next_attempt_in"] = fact.next_in
    if fact.instance:
        attributes["k8s.pod.name"] = fact.instance
    if fact.entered:
        attributes["knlite.entered"] = fact.entered
    return Span(
        name=f"send {fact.leg}",
        kind=Kind.CLIENT,
        context=context,
        parent=egress,
        start=end - int(fact.seconds * 1e9),
        end=end,
        attributes=attributes,
        error=(fact.why or f"it answered {fact.status}")[:LONGEST] if bad else "",
    )


def _verdicts(fact: EventAccepted, egresses: Iterable[EgressChanged], at: int) -> Iterator[Moment]:
    event, wanted = event_of(fact), frozenset(fact.readers)
    for egress in islice(egresses, VERDICTS):
        if fact.only:
            matched = egress.egress_uid in wanted
            why = "it was sent to this one alone" if matched else "it was sent to another alone"
            path = ""
        else:
            verdict = verdict_of(egress, event)
            matched, why, path = verdict.matched, verdict.why, verdict.path
        kind = egress.egress_kind.lower()
        attributes: dict[str, Attribute] = {
            "knlite.egress": f"{kind}:{egress.egress_name}.{egress.egress_namespace}",
            "knlite.wanted": matched,
            "knlite.why": why[:LONGEST],
        }
        if path:
            attributes["knlite.filter"] = path
        yield Moment(at=at, name="filter", attributes=attributes)


def _sampled(traceparent: str) -> Context | None:
    """The span that it names, if anybody wants it."""
    if not trace.is_parent(traceparent) or not trace.is_sampled(traceparent):
        return None
    return context_of(traceparent)


def _acceptance(of: int, arrival: int) -> Context:
    return derived(of, arrival)


def _egress(of: int, fact: DeliveryAttempted) -> Context:
    return derived(of, fact.arrival, fact.egress_uid)


def _resource(fact: EventAccepted) -> str:
    kind = "channel" if fact.kind.endswith("Channel") else fact.kind.lower()
    return f"{kind}:{fact.name}.{fact.namespace}"


def _egress_name(fact: DeliveryAttempted) -> str:
    return f"{fact.egress_kind.lower()}:{fact.egress_name}.{fact.egress_namespace}"


def _of_resource(kind: str, namespace: str, name: str) -> dict[str, Attribute]:
    found: dict[str, Attribute] = {"messaging.system": "knative"}
    what = "channel" if kind.endswith("Channel") else kind.lower()
    found[f"kn.{what}.name"], found[f"kn.{what}.namespace"] = name, namespace
    return found


def _of_event(attributes: Mapping[str, str]) -> dict[str, Attribute]:
    return {told: attributes[name][:LONGEST] for name, told in _TOLD.items() if name in attributes}


def _address(url: str) -> str:
    """*url* without what may be a secret: a user, a password, a query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))[:LONGEST]
