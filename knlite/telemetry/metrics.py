"""Facts as Prometheus metrics.

Names are those of Knative's own metrics, as its Prometheus exporter writes them.

Source: Knative reference §6.1; knative/eventing ``docs/metrics.md`` for the broker.
Not here: rates and percentiles; whoever scrapes makes them.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from knlite.facts import (
    ColdStart,
    DeliveryAttempted,
    EventAccepted,
    EventRefused,
    Fact,
    InstanceChanged,
    RequestDone,
    ScaleDecided,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_REVISION = ("namespace_name", "service_name", "revision_name")
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)


class Metrics:
    """A reader of facts that counts."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Histogram(
            "kn_serving_invocation_duration_seconds",
            "Time from a request's arrival to the end of its answer.",
            (*_REVISION, "response_code"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._desired = Gauge(
            "kn_revision_pods_desired", "Instances wanted.", _REVISION, registry=registry
        )
        self._count = Gauge(
            "kn_revision_pods_count", "Instances ready.", _REVISION, registry=registry
        )
        self._panic = Gauge(
            "kn_revision_panic_mode", "1 while in panic mode.", _REVISION, registry=registry
        )
        self._failures = Counter(
            "knlite_instance_failures",
            "Instances that failed to start or crashed.",
            _REVISION,
            registry=registry,
        )
        self._cold = Histogram(
            "knlite_cold_start_seconds",
            "Time to the first byte of requests that found no instance.",
            _REVISION,
            buckets=_SECONDS,
            registry=registry,
        )
        self._accepted = Counter(
            "knlite_broker_events_accepted",
            "Events that a broker has taken.",
            ("namespace_name", "broker_name"),
            registry=registry,
        )
        self._refused = Counter(
            "knlite_broker_events_refused",
            "Requests to a broker that it has refused.",
            ("namespace_name", "broker_name", "response_code"),
            registry=registry,
        )
        self._deliveries = Counter(
            "knlite_trigger_deliveries",
            "Attempts to deliver an event.",
            ("namespace_name", "broker_name", "trigger_name", "leg", "outcome"),
            registry=registry,
        )
        self._answered: dict[tuple[str, str, str, int], Histogram] = {}
        self._ready: dict[tuple[str, str, str], set[str]] = {}

    def exposition(self) -> bytes:
        """All metrics as Prometheus reads them."""
        return generate_latest(self._registry)

    def read(self, fact: Fact) -> None:
        """Count *fact*."""
        match fact:
            case RequestDone():
                self._request(fact)
            case ScaleDecided():
                revision = (fact.namespace, fact.service, fact.revision)
                self._desired.labels(*revision).set(fact.desired)
                self._panic.labels(*revision).set(fact.panic)
            case InstanceChanged():
                self._instance(fact)
            case ColdStart():
                revision = (fact.namespace, fact.service, fact.revision)
                self._cold.labels(*revision).observe(fact.first_byte)
            case EventAccepted():
                self._accepted.labels(fact.namespace, fact.broker).inc()
            case EventRefused():
                self._refused.labels(fact.namespace, fact.broker, str(fact.status)).inc()
            case DeliveryAttempted():
                attempted = (fact.namespace, fact.broker, fact.trigger, fact.leg, fact.outcome)
                self._deliveries.labels(*attempted).inc()
            case _:
                pass

    def _request(self, fact: RequestDone) -> None:
        answered = (fact.namespace, fact.service, fact.revision, fact.status)
        histogram = self._answered.get(answered)
        if histogram is None:
            # Looking a child up by its labels costs more than all the rest of this.
            labels = (fact.namespace, fact.service, fact.revision, str(fact.status))
            histogram = self._answered[answered] = self._requests.labels(*labels)
        histogram.observe(fact.seconds)

    def _instance(self, fact: InstanceChanged) -> None:
        revision = (fact.namespace, fact.service, fact.revision)
        ready = self._ready.setdefault(revision, set())
        if fact.state == "ready":
            ready.add(fact.instance)
        else:
            ready.discard(fact.instance)
        if fact.state == "failed":
            self._failures.labels(*revision).inc()
        self._count.labels(*revision).set(len(ready))
        if not ready:
            del self._ready[revision]
