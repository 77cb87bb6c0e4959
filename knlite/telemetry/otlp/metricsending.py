"""Makes OpenTelemetry's metrics of those of /metrics, and sends them; called by a thread."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import cast

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.metrics.export import Metric as Told
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client.core import Metric
from prometheus_client.samples import Sample

from knlite.telemetry.otlp import names
from knlite.telemetry.otlp.choice import Target
from knlite.telemetry.otlp.exporters import export_metrics, metric_exporter, resource
from knlite.telemetry.tracing.span import nanoseconds

_CUMULATIVE = AggregationTemporality.CUMULATIVE
_UNKNOWN = cast("float", None)
"""The least and the greatest value, which nobody has kept; the protocol may leave them out."""


class MetricSending:
    """To one collector."""

    def __init__(self, target: Target, version: str, instance: str, began: datetime) -> None:
        """All has been counted since *began*."""
        self._exporter = metric_exporter(target)
        self._resource = resource(version, instance)
        self._scope = InstrumentationScope("knlite", version)
        self._began = nanoseconds(began)

    def send(self, taken: Sequence[tuple[datetime, list[Metric]]]) -> str:
        """Why they could not be sent; empty if they were."""
        at, families = taken[-1]
        told = list(encoded(families, self._began, nanoseconds(at)))
        scoped = ScopeMetrics(self._scope, told, "")
        data = MetricsData([ResourceMetrics(self._resource, [scoped], "")])
        return export_metrics(self._exporter, data) if told else ""


def encoded(families: Iterable[Metric], began: int, at: int) -> Iterator[Told]:
    """*families* as they are *at*, in nanoseconds since the epoch; those without values not."""
    for family in families:
        if not family.samples:
            continue
        name, unit = names.metric(family.name)
        data: Sum | Gauge | Histogram
        if family.type == "histogram":
            data = Histogram(list(_histograms(family.samples, began, at)), _CUMULATIVE)
        else:
            points = [
                NumberDataPoint(_attributes(each.labels), began, at, each.value)
                for each in family.samples
                if not each.name.endswith("_created")
            ]
            data = Gauge(points) if family.type == "gauge" else Sum(points, _CUMULATIVE, True)
        yield Told(name, family.documentation, unit, data)


def _histograms(samples: Sequence[Sample], began: int, at: int) -> Iterator[HistogramDataPoint]:
    """Those of each set of labels, whose samples follow each other; the sum is after the counts."""
    bounds: list[float] = []
    counts: list[int] = []
    for sample in samples:
        if sample.name.endswith("_bucket"):
            bounds.append(float(sample.labels["le"]))
            counts.append(int(sample.value))
        elif sample.name.endswith("_sum"):
            labels = {name: value for name, value in sample.labels.items() if name != "le"}
            own = [counts[0], *(after - before for before, after in pairwise(counts))]
            yield HistogramDataPoint(
                _attributes(labels), began, at, counts[-1], sample.value, own, bounds[:-1],
                _UNKNOWN, _UNKNOWN,
            )  # fmt: skip
            bounds, counts = [], []


def _attributes(labels: dict[str, str]) -> dict[str, str]:
    """As attributes; what is empty says nothing."""
    return {names.attribute(name): value for name, value in labels.items() if value}
