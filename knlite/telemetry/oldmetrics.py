"""Serving's metrics under the names that they had up to Knative 1.18, for boards made then.

Source: Knative reference §6.2.
Differs: latencies have the boundaries of today's histogram, in milliseconds. The activator is
always in the path here, so that its counts and latencies would be those of the revision once more;
of what was its own only the concurrency is told.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric

from knlite.serving.levels import RevisionLoad, RevisionScale
from knlite.telemetry.requests import OTHER_STATUS, SECONDS, Distribution, Requests, Series

_REVISION = ("namespace_name", "service_name", "configuration_name", "revision_name")
_REQUEST = (*_REVISION, "response_code", "response_code_class", "route_tag")
_TAGS = {"kn:disabled": "DISABLED", "kn:default": "DEFAULT", "kn:undefined": "UNDEFINED"}
_KINDS: tuple[tuple[str, str, Callable[[Series], Distribution]], ...] = (
    ("revision", "requests", Series.duration),
    ("revision_app", "requests, in the instance alone", Series.invocation),
)


def of_requests(requests: Requests) -> Iterator[Metric]:
    """Counts and latencies; nobody knew methods then."""
    ordered = sorted(requests, key=_labels)
    alike = [(labels, tuple(group)) for labels, group in groupby(ordered, key=_labels)]
    for name, text, of in _KINDS:
        # As a counter its name would get the ending _total, which it did not have.
        count = Metric(f"{name}_request_count", f"How many {text}.", "unknown")
        latencies = HistogramMetricFamily(
            f"{name}_request_latencies", f"Time of {text}, in milliseconds.", labels=_REQUEST
        )
        for labels, series in alike:
            found = Distribution(SECONDS)
            for each in series:
                found.add(of(each))
            found.bounds = tuple(bound * 1000 for bound in SECONDS)
            buckets = found.buckets()
            count.add_sample(count.name, dict(zip(_REQUEST, labels, strict=True)), buckets[-1][1])
            latencies.add_metric(labels, buckets, found.total * 1000)
        yield count
        yield latencies


def of_levels(loads: Iterable[RevisionLoad], scales: Iterable[RevisionScale]) -> Iterator[Metric]:
    """What is true of each revision now."""
    scales = tuple(scales)
    configurations = {(each.namespace, each.revision): each.configuration for each in scales}
    depth = _gauge("revision_queue_depth", "Requests that wait or run.")
    average = _gauge("activator_request_concurrency", "Requests at once over the last second.")
    for load in loads:
        named = load.configuration or configurations.get((load.namespace, load.revision), "")
        labels = (load.namespace, load.service, named, load.revision)
        depth.add_metric(labels, load.queued + load.active)
        average.add_metric(labels, load.concurrency)
    yield from (depth, average)
    gauges: dict[str, GaugeMetricFamily] = {}
    for scale in scales:
        labels = (scale.namespace, scale.service, scale.configuration, scale.revision)
        for name, value in _of_scale(scale):
            if value is not None:
                full = f"autoscaler_{name}"
                gauge = gauges.setdefault(full, _gauge(full, "As kn_revision_… tells it today."))
                gauge.add_metric(labels, value)
    yield from gauges.values()


def _of_scale(scale: RevisionScale) -> Iterator[tuple[str, float | None]]:
    instances = scale.instances
    yield "desired_pods", scale.desired
    yield "requested_pods", scale.requested
    yield "actual_pods", instances.ready
    yield "not_ready_pods", instances.not_ready
    yield "pending_pods", instances.pending
    yield "terminating_pods", instances.terminating
    yield "excess_burst_capacity", scale.excess
    yield "panic_mode", int(scale.panic)
    if scale.metric == "rps":
        yield "stable_requests_per_second", scale.stable
        yield "panic_requests_per_second", scale.in_panic_window
        yield "target_requests_per_second", scale.target
    else:
        yield "stable_request_concurrency", scale.stable
        yield "panic_request_concurrency", scale.in_panic_window
        yield "target_concurrency_per_pod", scale.target


def _labels(series: Series) -> tuple[str, ...]:
    known = series.status != OTHER_STATUS
    return (
        series.namespace,
        series.service,
        series.configuration,
        series.revision,
        series.status,
        f"{series.status[0]}xx" if known else OTHER_STATUS,
        _TAGS.get(series.route_tag, series.route_tag),
    )


def _gauge(name: str, text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=_REVISION)
