"""Spans as OpenTelemetry's exporters take them."""

from collections.abc import Iterable

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from knlite.telemetry.tracing.span import Context, Kind, Span

_KINDS = {
    Kind.INTERNAL: SpanKind.INTERNAL,
    Kind.SERVER: SpanKind.SERVER,
    Kind.CLIENT: SpanKind.CLIENT,
    Kind.PRODUCER: SpanKind.PRODUCER,
    Kind.CONSUMER: SpanKind.CONSUMER,
}
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_UNSET = Status(StatusCode.UNSET)


def readable(
    spans: Iterable[Span], resource: Resource, scope: InstrumentationScope
) -> list[ReadableSpan]:
    """*spans*, told by *resource*."""
    return [
        ReadableSpan(
            name=span.name,
            context=_context(span.context),
            parent=None if span.parent is None else _context(span.parent, remote=True),
            resource=resource,
            attributes=dict(span.attributes),
            events=[Event(each.name, dict(each.attributes), each.at) for each in span.moments],
            links=[Link(_context(each, remote=True)) for each in span.links],
            kind=_KINDS[span.kind],
            status=Status(StatusCode.ERROR, span.error) if span.error else _UNSET,
            start_time=span.start,
            end_time=span.end,
            instrumentation_scope=scope,
        )
        for span in spans
    ]


def _context(of: Context, *, remote: bool = False) -> SpanContext:
    return SpanContext(of.trace, of.span, is_remote=remote, trace_flags=_SAMPLED)
