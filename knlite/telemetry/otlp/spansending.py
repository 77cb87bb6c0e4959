"""Makes spans of what was noted, and sends them; called by the thread that sends."""

from collections.abc import Iterator, Sequence

from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from knlite.facts import DeliveryAttempted, EventAccepted, RequestDone
from knlite.telemetry.otlp.choice import Target
from knlite.telemetry.otlp.exporters import export_spans, resource, span_exporter
from knlite.telemetry.otlp.spanencoding import readable
from knlite.telemetry.otlp.spans import Noted
from knlite.telemetry.tracing.ofevents import (
    spans_of_acceptance,
    spans_of_delivery,
    spans_of_source,
)
from knlite.telemetry.tracing.ofrequests import spans_of_request
from knlite.telemetry.tracing.span import Span


class SpanSending:
    """To one collector."""

    def __init__(self, target: Target, version: str, instance: str) -> None:
        self._exporter = span_exporter(target)
        self._resource = resource(version, instance)
        self._scope = InstrumentationScope("knlite", version)

    def send(self, noted: Sequence[Noted]) -> str:
        """Why they could not be sent; empty if they were."""
        spans = [span for each in noted for span in _spans(each)]
        if not spans:
            return ""
        return export_spans(self._exporter, readable(spans, self._resource, self._scope))


def _spans(noted: Noted) -> Iterator[Span]:
    fact = noted.fact
    if isinstance(fact, RequestDone):
        yield from spans_of_request(fact)
    elif isinstance(fact, EventAccepted):
        yield from spans_of_acceptance(fact, noted.egresses, noted.kept, noted.size)
    elif isinstance(fact, DeliveryAttempted):
        yield from spans_of_delivery(fact)
    else:
        yield from spans_of_source(fact)
