"""A request as a span, and what it waited for as spans below it.

Source: OpenTelemetry's semantic conventions for HTTP servers, FaaS and Kubernetes; Knative
reference §6.1 (``kn.…``).
Differs: upstream's spans tell of its proxies (``throttler_try``, ``activator_proxy``,
``kn.queueproxy.wait``); here one hop has one span, and what a cold start consists of is below it,
in the words of the console. Queries are left out, as they may hold secrets.
"""

from collections.abc import Iterator

from knlite.eventing import trace
from knlite.facts import RequestDone
from knlite.telemetry.requests import METHODS, OTHER_METHOD
from knlite.telemetry.tracing.span import (
    LONGEST,
    Attribute,
    Context,
    Kind,
    Span,
    context_of,
    derived,
    nanoseconds,
)
from knlite.telemetry.waterfall import stages_of


def spans_of_request(fact: RequestDone) -> Iterator[Span]:
    """Nothing if nobody wants the trace of *fact*."""
    traceparent = fact.trace.decode("latin-1")
    if not traceparent or not trace.is_sampled(traceparent):
        return
    context = context_of(traceparent)
    end = nanoseconds(fact.at)
    start = end - int(fact.seconds * 1e9)
    method = fact.method if fact.method in METHODS else OTHER_METHOD
    failed = fact.status >= 500 or not fact.status
    yield Span(
        name=f"{method if method != OTHER_METHOD else 'HTTP'} {fact.service}.{fact.namespace}",
        kind=Kind.SERVER,
        context=context,
        parent=_parent(fact),
        start=start,
        end=end,
        attributes=_attributes(fact, method),
        error=(fact.why or f"it answered {fact.status}")[:LONGEST] if failed else "",
    )
    if fact.cold or fact.waited:
        yield from _stages(fact, context, start)


def _parent(fact: RequestDone) -> Context | None:
    for name, value in fact.headers:
        if name.lower() == b"traceparent":
            parent = value.decode("latin-1").strip()
            return context_of(parent) if trace.is_parent(parent) else None
    return None


def _attributes(fact: RequestDone, method: str) -> dict[str, Attribute]:
    found: dict[str, Attribute] = {
        "http.request.method": method,
        "url.path": _text(fact.target.partition(b"?")[0]),
        "server.address": _text(fact.host),
        "network.protocol.name": "http",
        "network.protocol.version": fact.http_version,
        "http.request.body.size": fact.request_bytes,
        "http.response.body.size": fact.response_bytes,
        "client.address": fact.client[0],
        "k8s.namespace.name": fact.namespace,
        "kn.service.name": fact.service,
        "kn.configuration.name": fact.configuration,
        "kn.revision.name": fact.revision,
        "kn.route.tag": fact.route_tag,
        "faas.trigger": "http",
        "faas.name": fact.service,
        "faas.version": fact.revision,
        "faas.coldstart": fact.cold,
    }
    if method != fact.method:
        found["http.request.method_original"] = fact.method[:LONGEST]
    if fact.status:
        found["http.response.status_code"] = fact.status
    if fact.status >= 500 or not fact.status:
        found["error.type"] = str(fact.status) if fact.status else "client left"
    if fact.instance:
        found["k8s.pod.name"] = found["faas.instance"] = fact.instance
    if fact.cold_start is not None:
        found["knlite.start"] = fact.cold_start.how
    if fact.request_id:
        found["knlite.request.id"] = _text(fact.request_id)
    for name, value in fact.headers:
        lower = name.lower()
        if lower == b"user-agent":
            found["user_agent.original"] = _text(value)
        elif lower == b"ce-id":
            found["cloudevents.event_id"] = _text(value)
    return found


def _stages(fact: RequestDone, of: Context, start: int) -> Iterator[Span]:
    how = "" if fact.cold_start is None else fact.cold_start.how
    for stage in stages_of(fact):
        if stage.end <= stage.start:
            continue
        attributes: dict[str, Attribute] = {
            "kn.service.name": fact.service,
            "kn.revision.name": fact.revision,
            "k8s.namespace.name": fact.namespace,
        }
        if stage.why:
            attributes["knlite.why"] = stage.why[:LONGEST]
        if how:
            attributes["knlite.start"] = how
        yield Span(
            name=stage.name,
            kind=Kind.INTERNAL,
            context=derived(of.trace, of.span, stage.name),
            parent=of,
            start=start + int(stage.start * 1e9),
            end=start + int(stage.end * 1e9),
            attributes=attributes,
        )


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")[:LONGEST]
