"""Events counted by resource, egress, type and status: sums that cost an event next to nothing.

Cardinality is bounded whatever clients send: beyond a number of sets of labels all types are
``other``, and so are the names of what does not exist. What belonged to an egress goes with it.

Source: Eventing data plane reference §10 (names, attributes, boundaries of histograms).
Differs: an ingress here keeps events and dispatches nothing, so ``kn_eventing_dispatch_duration``
has deliveries only. The time to process counts from an event's arrival, its wait included.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from knlite.facts import (
    DeliveryAttempted,
    EgressChanged,
    EventAccepted,
    EventRefused,
    Fact,
    SourceSent,
)
from knlite.telemetry.requests import SECONDS, Distribution

LIMIT = 1000
"""Sets of labels of one metric before their types become ``other``."""
OTHER = "other"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

READ = (EventAccepted, EventRefused, DeliveryAttempted, EgressChanged, SourceSent)
"""The facts that are counted."""

_Key = tuple[str, ...]

_ACCEPTED = ("namespace_name", "broker_name")
_REFUSED = (*_ACCEPTED, "response_code")
_ATTEMPTED = (*_ACCEPTED, "trigger_name", "leg", "outcome")
_SOURCE = ("namespace_name", "source_kind", "source_name", "outcome", "response_code")
_INGRESS = (
    "broker_name",
    "event_type",
    "namespace_name",
    "response_code",
    "response_code_class",
    "unique_name",
)
_FILTER = (
    "broker_name",
    "container_name",
    "filter_type",
    "namespace_name",
    "response_code",
    "response_code_class",
    "trigger_name",
    "unique_name",
)
_CHANNEL = (
    "container_name",
    "event_type",
    "namespace_name",
    "response_code",
    "response_code_class",
    "unique_name",
)
_DISPATCH = (
    "messaging_system",
    "messaging_operation_name",
    "messaging_destination_name",
    "kn_broker_name",
    "kn_broker_namespace",
    "kn_channel_name",
    "kn_channel_namespace",
    "cloudevents_type",
    "http_response_status_code",
    "url_scheme",
)


class Deliveries:
    """A reader of facts about events that counts."""

    def __init__(self) -> None:
        self._accepted: dict[_Key, int] = {}
        """By kind, namespace and name of the resource, and the event's type."""
        self._refused: dict[_Key, int] = {}
        self._attempts: dict[_Key, int] = {}
        """By namespace and name of the resource, kind and name of the egress, leg and outcome."""
        self._sent: dict[_Key, int] = {}
        """By namespace, kind and name of the source, outcome and status."""
        self._dispatched: dict[_Key, tuple[Distribution, Distribution]] = {}
        """Durations, and times until the first attempt, by kind, namespace and name of the
        resource, namespace and name of the egress, type and status."""

    def read(self, fact: Fact) -> None:
        """Count *fact*."""
        if type(fact) is DeliveryAttempted:
            self._attempted(fact)
        elif type(fact) is EventAccepted and not fact.again:
            of: _Key = (fact.kind, fact.namespace, fact.name, fact.attributes["type"])
            if of not in self._accepted and len(self._accepted) >= LIMIT:
                of = (*of[:3], OTHER)
            self._accepted[of] = self._accepted.get(of, 0) + 1
        elif type(fact) is EventRefused:
            refused = (fact.namespace, fact.name, str(fact.status))
            if refused not in self._refused and len(self._refused) >= LIMIT:
                refused = (OTHER, OTHER, str(fact.status))
            self._refused[refused] = self._refused.get(refused, 0) + 1
        elif type(fact) is SourceSent:
            sent = (fact.namespace, fact.kind, fact.name, fact.outcome, str(fact.status))
            self._sent[sent] = self._sent.get(sent, 0) + 1
        elif type(fact) is EgressChanged and fact.gone:
            self._forget(fact)

    def families(self) -> Iterator[Metric]:
        """All metrics of events as they are now."""
        yield from self._counters()
        yield from self._histograms()
        yield from self._of_old_dashboards()

    def _attempted(self, fact: DeliveryAttempted) -> None:
        of = (fact.namespace, fact.name, fact.egress_kind, fact.egress_name, fact.leg, fact.outcome)
        self._attempts[of] = self._attempts.get(of, 0) + 1
        if fact.leg != "subscriber" or fact.outcome == "waiting":
            return
        key = (
            fact.kind,
            fact.namespace,
            fact.name,
            fact.egress_namespace,
            fact.egress_name,
            fact.event_type,
            # Upstream's filter answers 500 where it has got no answer.
            str(fact.status or 500),
        )
        found = self._dispatched.get(key)
        if found is None:
            if len(self._dispatched) >= LIMIT:
                key = (*key[:5], OTHER, key[6])
            found = self._dispatched.setdefault(key, (Distribution(SECONDS), Distribution(SECONDS)))
        found[0].observe(fact.seconds)
        if fact.attempt == 1:
            passed = (fact.at - _EPOCH).total_seconds() - fact.arrival / 1e6 - fact.seconds
            found[1].observe(max(0.0, passed))

    def _forget(self, gone: EgressChanged) -> None:
        resource = (gone.namespace, gone.name)
        egress = (gone.egress_namespace, gone.egress_name)
        self._dispatched = {
            key: found
            for key, found in self._dispatched.items()
            if key[1:3] != resource or key[3:5] != egress
        }
        of = (*resource, gone.egress_kind, gone.egress_name)
        self._attempts = {key: count for key, count in self._attempts.items() if key[:4] != of}

    def _counters(self) -> Iterator[Metric]:
        accepted = CounterMetricFamily(
            "knlite_broker_events_accepted",
            "Events that a broker or channel has taken.",
            labels=_ACCEPTED,
        )
        of: dict[_Key, int] = {}
        for (_, namespace, name, _), count in self._accepted.items():
            of[namespace, name] = of.get((namespace, name), 0) + count
        for labels, count in of.items():
            accepted.add_metric(labels, count)
        yield accepted
        refused = CounterMetricFamily(
            "knlite_broker_events_refused",
            "Requests to a broker or channel that it has refused.",
            labels=_REFUSED,
        )
        for labels, count in self._refused.items():
            refused.add_metric(labels, count)
        yield refused
        attempts = CounterMetricFamily(
            "knlite_trigger_deliveries", "Attempts to deliver an event.", labels=_ATTEMPTED
        )
        for (namespace, name, _, egress, leg, outcome), count in self._attempts.items():
            attempts.add_metric((namespace, name, egress, leg, outcome), count)
        yield attempts
        sent = CounterMetricFamily(
            "knlite_source_events",
            "Events that sources have sent, or given up.",
            labels=_SOURCE,
        )
        for labels, count in self._sent.items():
            sent.add_metric(labels, count)
        yield sent

    def _histograms(self) -> Iterator[Metric]:
        dispatch = HistogramMetricFamily(
            "kn_eventing_dispatch_duration_seconds",
            "Time of one attempt to bring an event to a subscriber.",
            labels=_DISPATCH,
        )
        process = HistogramMetricFamily(
            "kn_eventing_process_duration_seconds",
            "Time from an event's arrival to the first attempt.",
            labels=_DISPATCH,
        )
        for (kind, namespace, name, *egress, type_, status), found in self._dispatched.items():
            broker = kind == "Broker"
            of_channel = kind.endswith("Channel")
            egress_kind = "trigger" if broker else "subscription" if of_channel else kind.lower()
            resource = (name, namespace, "", "") if broker else ("", "", name, namespace)
            destination = f"{egress_kind}:{egress[1]}.{egress[0]}"
            labels = ("knative", "send", destination, *resource, type_, status, "http")
            dispatch.add_metric(labels, found[0].buckets(), found[0].total)
            if any(found[1].counts):
                process.add_metric(labels, found[1].buckets(), found[1].total)
        yield dispatch
        yield process

    def _of_old_dashboards(self) -> Iterator[Metric]:
        """The names that upstream's boards for Grafana ask for."""
        # As counters their names would get the ending _total, which they did not have.
        ingress = Metric("broker_ingress_event_count", "Events that a broker took.", "unknown")
        for (kind, namespace, name, type_), count in self._accepted.items():
            if kind == "Broker":
                values = (name, type_, namespace, "202", "2xx", "knlite")
                ingress.add_sample(ingress.name, dict(zip(_INGRESS, values, strict=True)), count)
        yield ingress
        for name, labels, of_broker in (
            ("broker_filter_event", _FILTER, True),
            ("event", _CHANNEL, False),
        ):
            yield from self._delivered_as_before(name, labels, of_broker=of_broker)

    def _delivered_as_before(
        self, name: str, names: tuple[str, ...], *, of_broker: bool
    ) -> Iterator[Metric]:
        """What the filter of brokers told, or the dispatcher of channels."""
        count = Metric(f"{name}_count", "Attempts to deliver.", "unknown")
        dispatch = HistogramMetricFamily(
            f"{name}_dispatch_latencies", "Time of an attempt in milliseconds.", labels=names
        )
        process = HistogramMetricFamily(
            f"{name}_processing_latencies", "Time until the first attempt in milliseconds.",
            labels=names,
        )  # fmt: skip
        for (kind, namespace, resource, *egress, type_, status), found in self._dispatched.items():
            if of_broker is not (kind == "Broker") or not (of_broker or kind.endswith("Channel")):
                continue
            codes = (status, f"{status[0]}xx")
            of_old = (
                (resource, "filter", type_, namespace, *codes, egress[1], "knlite")
                if of_broker
                # Which pod told it, which is one here: so the name keeps subscriptions apart.
                else ("dispatcher", type_, namespace, *codes, egress[1])
            )
            buckets = in_milliseconds(found[0])
            count.add_sample(count.name, dict(zip(names, of_old, strict=True)), buckets[-1][1])
            dispatch.add_metric(of_old, buckets, found[0].total * 1000)
            if any(found[1].counts):
                process.add_metric(of_old, in_milliseconds(found[1]), found[1].total * 1000)
        yield from (count, dispatch, process) if of_broker else (count, dispatch)


def in_milliseconds(found: Distribution) -> list[tuple[str, float]]:
    """The buckets of durations in seconds, with their bounds in milliseconds."""
    shown = Distribution(tuple(bound * 1000 for bound in found.bounds))
    shown.counts = found.counts
    return shown.buckets()
