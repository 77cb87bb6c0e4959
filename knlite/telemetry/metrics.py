"""Facts and levels as Prometheus metrics.

Names are those of Knative's own metrics, as its Prometheus exporter writes them; what dashboards
made for Knative up to 1.18 ask for is there as well (``oldmetrics.py``). What is true at one moment
is asked for when somebody scrapes, so that requests pay nothing for it.

Source: Knative reference §6.1.
Not here: rates and percentiles; whoever scrapes makes them. Events: ``deliveries.py``.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from knlite.facts import (
    ColdStart,
    Fact,
    InstanceChanged,
    RequestDone,
)
from knlite.serving.levels import RevisionLoad, RevisionScale
from knlite.telemetry import deliveries, oldmetrics
from knlite.telemetry.deliveries import Deliveries
from knlite.telemetry.requests import SECONDS, Distribution, Requests, Series

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Loads = Callable[[], Iterable[RevisionLoad]]
Scales = Callable[[], Iterable[RevisionScale]]
Revision = tuple[str, str, str]
"""Namespace, service, name."""

READ = (
    RequestDone,
    ColdStart,
    InstanceChanged,
    *deliveries.READ,
)
"""The facts that are counted."""

_NAMED = ("k8s_namespace_name", "kn_service_name", "kn_revision_name")
_REVISION = ("k8s_namespace_name", "kn_service_name", "kn_configuration_name", "kn_revision_name")
_REQUEST = (*_REVISION, "http_response_status_code", "kn_route_tag", "http_request_method")


def _nothing() -> tuple[()]:
    return ()


@dataclass(frozen=True, slots=True)
class _Of:
    """A histogram of requests: its name, what it tells, and where it is in a series."""

    name: str
    text: str
    of: Callable[[Series], Distribution]


_HISTOGRAMS = (
    _Of(
        "http_server_request_duration_seconds",
        "Time from a request's arrival to the end of its answer.",
        Series.duration,
    ),
    _Of("http_server_request_body_size_bytes", "Bytes of requests.", Series.request_size),
    _Of("http_server_response_body_size_bytes", "Bytes of answers.", Series.response_size),
    _Of(
        "kn_serving_invocation_duration_seconds",
        "Time in the instance: from being handed a request to the end of its answer.",
        Series.invocation,
    ),
)


class Metrics:
    """A reader of facts that counts."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._loads: Loads = _nothing
        self._scales: Scales | None = None
        self._requests = Requests(self._alive)
        self._cold: dict[Revision, dict[str, Distribution]] = {}
        self._thaws: dict[Revision, Distribution] = {}
        self._failures: dict[Revision, int] = {}
        self._deliveries = Deliveries()
        registry.register(_Served(self._families))

    def ask(self, *, loads: Loads = _nothing, scales: Scales | None = None) -> None:
        """Ask these whenever somebody scrapes; *scales* also says which revisions there are."""
        self._loads, self._scales = loads, scales

    @property
    def requests(self) -> Requests:
        """The requests that it has counted."""
        return self._requests

    def families(self) -> Iterator[Metric]:
        """All metrics as they are now."""
        return self._families()

    def exposition(self) -> bytes:
        """All metrics as Prometheus reads them."""
        return generate_latest(self._registry)

    def read(self, fact: Fact) -> None:
        """Count *fact*."""
        if type(fact) is RequestDone:
            self._requests.count(fact)
            return
        if type(fact) in deliveries.READ:
            self._deliveries.read(fact)
            return
        match fact:
            case InstanceChanged(state="failed") if fact.revision:
                revision = (fact.namespace, fact.service, fact.revision)
                self._failures[revision] = self._failures.get(revision, 0) + 1
            case ColdStart():
                self._cold_start(fact)
            case _:
                pass

    def _cold_start(self, fact: ColdStart) -> None:
        revision = (fact.namespace, fact.service, fact.revision)
        if fact.how == "thawed":
            found = self._thaws.setdefault(revision, Distribution(SECONDS))
            found.observe(fact.first_byte)
            return
        stages = self._cold.setdefault(revision, {})
        reached = (
            ("queued", fact.queued),
            ("created", fact.created),
            ("started", fact.started),
            ("ready", fact.ready),
            ("forwarded", fact.forwarded),
            ("first_byte", fact.first_byte),
        )
        for stage, seconds in reached:
            stages.setdefault(stage, Distribution(SECONDS)).observe(seconds)

    def _alive(self) -> frozenset[tuple[str, str]] | None:
        if self._scales is None:
            return None
        return frozenset((scale.namespace, scale.revision) for scale in self._scales())

    def _families(self) -> Iterator[Metric]:
        scales = () if self._scales is None else tuple(self._scales())
        self._requests.tidy()
        alive = self._alive()
        if alive is not None:
            self._cold = {of: each for of, each in self._cold.items() if (of[0], of[2]) in alive}
            self._thaws = {of: each for of, each in self._thaws.items() if (of[0], of[2]) in alive}
            self._failures = {
                of: each for of, each in self._failures.items() if (of[0], of[2]) in alive
            }
        yield from _of_requests(self._requests)
        loads = tuple(self._loads())
        yield from oldmetrics.of_requests(self._requests)
        yield from oldmetrics.of_levels(loads, scales)
        yield from _of_loads(loads, scales)
        yield from _of_scales(scales)
        yield from self._of_starts()
        yield from self._deliveries.families()

    def _of_starts(self) -> Iterator[Metric]:
        failures = CounterMetricFamily(
            "knlite_instance_failures",
            "Instances that failed to start or crashed.",
            labels=_NAMED,
        )
        for revision, count in self._failures.items():
            failures.add_metric(revision, count)
        yield failures
        cold = HistogramMetricFamily(
            "knlite_cold_start_seconds",
            "Time from the arrival of a request that found no instance until each stage.",
            labels=(*_NAMED, "stage"),
        )
        for revision, stages in self._cold.items():
            for stage, found in stages.items():
                cold.add_metric((*revision, stage), found.buckets(), found.total)
        yield cold
        thaws = HistogramMetricFamily(
            "knlite_thaw_seconds",
            "Time from the arrival of a request that found a frozen instance to its answer.",
            labels=_NAMED,
        )
        for revision, found in self._thaws.items():
            thaws.add_metric(revision, found.buckets(), found.total)
        yield thaws


class _Served(Collector):
    """Makes metrics when they are asked for."""

    def __init__(self, families: Callable[[], Iterable[Metric]]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families()


def _of_requests(requests: Requests) -> Iterator[Metric]:
    for each in _HISTOGRAMS:
        family = HistogramMetricFamily(each.name, each.text, labels=_REQUEST)
        for series in requests:
            labels = (
                series.namespace,
                series.service,
                series.configuration,
                series.revision,
                series.status,
                series.route_tag,
                series.method,
            )
            found = each.of(series)
            family.add_metric(labels, found.buckets(), found.total)
        yield family


def _of_loads(loads: Iterable[RevisionLoad], scales: Iterable[RevisionScale]) -> Iterator[Metric]:
    configurations = {(each.namespace, each.revision): each.configuration for each in scales}
    queued = _gauge("kn_revision_request_queued", "Requests that wait for an instance.")
    active = _gauge("kn_revision_request_active", "Requests at an instance.")
    depth = _gauge("kn_serving_queue_depth", "Requests that wait or run.")
    average = _gauge(
        "kn_revision_request_concurrency", "Requests at once on average over the last second."
    )
    for load in loads:
        stamped_from = load.configuration or configurations.get((load.namespace, load.revision), "")
        labels = (load.namespace, load.service, stamped_from, load.revision)
        queued.add_metric(labels, load.queued)
        active.add_metric(labels, load.active)
        depth.add_metric(labels, load.queued + load.active)
        average.add_metric(labels, load.concurrency)
    yield from (queued, active, depth, average)


def _of_scales(scales: Iterable[RevisionScale]) -> Iterator[Metric]:
    names = {
        "pods_desired": "Instances that the load asks for.",
        "pods_requested": "Instances wanted, after all bounds.",
        "pods_count": "Instances ready.",
        "pods_not_ready_count": "Instances started, but not ready yet.",
        "pods_pending_count": "Instances to be started.",
        "pods_terminating_count": "Instances on their way out.",
        "capacity_excess": "Requests that could come at once; below 0 the activator holds some.",
        "panic_mode": "1 while in panic mode.",
    }
    for metric, unit in (("concurrency", "Requests at once"), ("rps", "Requests per second")):
        names[f"{metric}_stable"] = f"{unit} over the stable window."
        names[f"{metric}_panic"] = f"{unit} over the panic window."
        names[f"{metric}_target"] = f"{unit} wanted for each instance."
    gauges = {name: _gauge(f"kn_revision_{name}", text) for name, text in names.items()}
    frozen = _gauge("knlite_frozen_instances", "Instances kept in memory at scale zero.")
    for scale in scales:
        labels = (scale.namespace, scale.service, scale.configuration, scale.revision)
        values = {
            "pods_desired": scale.desired,
            "pods_requested": scale.requested,
            "pods_count": scale.instances.ready,
            "pods_not_ready_count": scale.instances.not_ready,
            "pods_pending_count": scale.instances.pending,
            "pods_terminating_count": scale.instances.terminating,
            "capacity_excess": scale.excess,
            "panic_mode": int(scale.panic),
            f"{scale.metric}_stable": scale.stable,
            f"{scale.metric}_panic": scale.in_panic_window,
            f"{scale.metric}_target": scale.target,
        }
        for name, value in values.items():
            if value is not None:
                gauges[name].add_metric(labels, value)
        frozen.add_metric(labels, scale.instances.frozen)
    yield from (*gauges.values(), frozen)


def _gauge(name: str, text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=_REVISION)
