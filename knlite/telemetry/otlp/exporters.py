"""OpenTelemetry's exporters, and what they say when they fail.

They read the rest of the standard variables themselves: headers, timeouts, certificates,
compression.
"""

import logging
import re
import threading
from collections.abc import Sequence

from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from knlite.kinds.config.observability import GRPC
from knlite.telemetry.otlp.choice import Target

_LOGGER = "opentelemetry"
_SYSTEM = re.compile(r"(?:\[Errno -?\d+\] |Failed to connect to remote host: )([^\"')\];]+)")


class _Heard(logging.Handler):
    """Keeps what an exporter says first, which would stand on the terminal otherwise.

    What it says after some attempts is that there were some, and no more.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._of = threading.local()
        """Each exporter speaks in the thread that sends with it."""

    @property
    def first(self) -> str:
        """What was said first in this thread since ``forget``."""
        found: str = getattr(self._of, "first", "")
        return found

    def forget(self) -> None:
        """Listen anew."""
        self._of.first = ""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            text = f"{text}: {record.exc_info[1]}"
        self._of.first = self.first or _cause(" ".join(text.split()))


def _cause(text: str) -> str:
    """What a person can use of it: the system's words, if they are in there."""
    found = _SYSTEM.search(text)
    return (found[1] if found else text)[:300]


_heard = _Heard()


def hush() -> None:
    """Let nothing of OpenTelemetry's reach the terminal."""
    logger = logging.getLogger(_LOGGER)
    if _heard not in logger.handlers:
        logger.addHandler(_heard)
        logger.propagate = False


def resource(version: str, instance: str) -> Resource:
    """Who tells all this; OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win."""
    ours = {
        "service.name": "knlite",
        "service.version": version,
        "service.instance.id": instance,
    }
    return Resource.create({**ours, **OTELResourceDetector().detect().attributes})


def span_exporter(target: Target) -> SpanExporter:
    """Who sends spans to *target*."""
    hush()
    # Either library costs its part of a second, and one of them is wanted.
    if target.protocol == GRPC:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (
            OTLPSpanExporter as ByGrpc,
        )

        return ByGrpc(endpoint=target.endpoint)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as ByHttp

    return ByHttp(endpoint=target.endpoint)


def metric_exporter(target: Target) -> MetricExporter:
    """Who sends metrics to *target*."""
    hush()
    if target.protocol == GRPC:
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import (
            OTLPMetricExporter as ByGrpc,
        )

        return ByGrpc(endpoint=target.endpoint)
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import (
        OTLPMetricExporter as ByHttp,
    )

    return ByHttp(endpoint=target.endpoint)


def export_spans(exporter: SpanExporter, spans: Sequence[ReadableSpan]) -> str:
    """Why they could not be sent; empty if they were."""
    _heard.forget()
    result = exporter.export(spans)
    return "" if result is SpanExportResult.SUCCESS else _heard.first or "it was not taken"


def export_metrics(exporter: MetricExporter, data: MetricsData) -> str:
    """Why they could not be sent; empty if they were."""
    _heard.forget()
    result = exporter.export(data)
    return "" if result is MetricExportResult.SUCCESS else _heard.first or "it was not taken"
