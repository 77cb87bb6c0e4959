"""Metrics of events (Eventing data plane reference §10)."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs
from prometheus_client.parser import text_string_to_metric_families

from knlite.facts import DeliveryAttempted, EgressChanged, EventAccepted, EventRefused
from knlite.telemetry import deliveries
from knlite.telemetry.metrics import Metrics

ARRIVED = datetime(2026, 1, 2, tzinfo=UTC)
MICROS = int(ARRIVED.timestamp() * 1e6)


def accepted(name: str = "main", kind: str = "Broker", type_: str = "paid") -> EventAccepted:
    attributes = {"id": "1", "type": type_}
    return EventAccepted(
        ARRIVED, kind, "shop", name, "uid", MICROS, attributes, None, None, 255, (), "me"
    )


def refused(name: str = "main", status: int = 400) -> EventRefused:
    return EventRefused(
        at=ARRIVED, kind="Broker", namespace="shop", name=name, status=status, why="no"
    )


def attempted(
    kind: str = "Broker",
    leg: str = "subscriber",
    status: int = 200,
    outcome: str = "delivered",
    attempt: int = 1,
    type_: str = "paid",
) -> DeliveryAttempted:
    egress = "Trigger" if kind == "Broker" else "Subscription"
    return DeliveryAttempted(
        ARRIVED + timedelta(seconds=3), kind, "shop", "main", egress, "shop", "t", "uid", MICROS,
        "1", type_, leg, "http://a.test/", attempt, status, outcome, "", 1.0,
    )  # type: ignore[arg-type]  # fmt: skip


def samples(metrics: Metrics, name: str) -> list[tuple[dict[str, str], float]]:
    families = text_string_to_metric_families(metrics.exposition().decode())
    return [(s.labels, s.value) for family in families for s in family.samples if s.name == name]


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def test_a_delivery_has_the_names_of_today(metrics: Metrics) -> None:
    metrics.read(attempted())
    ((labels, count),) = samples(metrics, "kn_eventing_dispatch_duration_seconds_count")
    assert count == 1
    assert labels == {
        "messaging_system": "knative",
        "messaging_operation_name": "send",
        "messaging_destination_name": "trigger:t.shop",
        "kn_broker_name": "main",
        "kn_broker_namespace": "shop",
        "kn_channel_name": "",
        "kn_channel_namespace": "",
        "cloudevents_type": "paid",
        "http_response_status_code": "200",
        "url_scheme": "http",
    }
    assert samples(metrics, "kn_eventing_dispatch_duration_seconds_sum")[0][1] == 1
    assert samples(metrics, "kn_eventing_process_duration_seconds_sum")[0][1] == pytest.approx(2)


def test_a_subscription_is_named_as_one(metrics: Metrics) -> None:
    metrics.read(attempted(kind="InMemoryChannel"))
    ((labels, _),) = samples(metrics, "kn_eventing_dispatch_duration_seconds_count")
    assert labels["messaging_destination_name"] == "subscription:t.shop"
    assert (labels["kn_channel_name"], labels["kn_broker_name"]) == ("main", "")
    assert samples(metrics, "broker_filter_event_count") == []


def test_old_dashboards_find_their_names(metrics: Metrics) -> None:
    metrics.read(accepted())
    metrics.read(accepted("pipe", "InMemoryChannel"))
    metrics.read(attempted(status=503, outcome="failed"))
    ((labels, count),) = samples(metrics, "broker_ingress_event_count")
    assert (labels["broker_name"], labels["event_type"], count) == ("main", "paid", 1)
    ((labels, count),) = samples(metrics, "broker_filter_event_count")
    assert (labels["trigger_name"], labels["response_code_class"], count) == ("t", "5xx", 1)
    ((_, took),) = samples(metrics, "broker_filter_event_dispatch_latencies_sum")
    assert took == 1000
    ((_, waited),) = samples(metrics, "broker_filter_event_processing_latencies_sum")
    assert waited == pytest.approx(2000)
    assert samples(metrics, "event_count") == []


def test_boards_of_channels_find_their_names(metrics: Metrics) -> None:
    first = attempted(kind="InMemoryChannel")
    metrics.read(first)
    metrics.read(structs.replace(first, egress_name="other"))
    found = samples(metrics, "event_count")
    assert {labels["event_type"] for labels, _ in found} == {"paid"}
    # Prometheus refuses two samples of the same labels.
    assert len({tuple(labels.items()) for labels, _ in found}) == len(found) == 2
    assert [took for _, took in samples(metrics, "event_dispatch_latencies_sum")] == [1000, 1000]


def test_no_answer_counts_as_500_and_other_legs_do_not(metrics: Metrics) -> None:
    metrics.read(attempted(status=0, outcome="retrying"))
    metrics.read(attempted(attempt=2, status=0, outcome="failed"))
    metrics.read(attempted(leg="dead letter sink", outcome="dead-lettered"))
    metrics.read(attempted(attempt=0, status=0, outcome="waiting"))
    ((labels, count),) = samples(metrics, "kn_eventing_dispatch_duration_seconds_count")
    assert (labels["http_response_status_code"], count) == ("500", 2)
    # Only first attempts say how long an event has waited.
    assert samples(metrics, "kn_eventing_process_duration_seconds_count")[0][1] == 1
    outcomes = {
        (labels["leg"], labels["outcome"]): count
        for labels, count in samples(metrics, "knlite_trigger_deliveries_total")
    }
    assert outcomes == {
        ("subscriber", "retrying"): 1,
        ("subscriber", "failed"): 1,
        ("subscriber", "waiting"): 1,
        ("dead letter sink", "dead-lettered"): 1,
    }


def test_what_is_taken_and_refused_is_counted(metrics: Metrics) -> None:
    for type_ in ("paid", "sent"):
        metrics.read(accepted(type_=type_))
    metrics.read(refused())
    ((labels, count),) = samples(metrics, "knlite_broker_events_accepted_total")
    assert (labels, count) == ({"namespace_name": "shop", "broker_name": "main"}, 2)
    ((labels, count),) = samples(metrics, "knlite_broker_events_refused_total")
    assert (labels["response_code"], count) == ("400", 1)


def test_senders_cannot_make_metrics_without_end(
    metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "LIMIT", 50)
    for number in range(60):
        metrics.read(refused(name=f"broker-{number}", status=404))
        metrics.read(accepted(type_=f"type-{number}"))
        metrics.read(attempted(type_=f"type-{number}"))
    lines = metrics.exposition().decode().splitlines()
    for name in (
        "knlite_broker_events_refused_total",
        "broker_ingress_event_count",
        "broker_filter_event_count",
    ):
        found = [line for line in lines if line.startswith(f"{name}{{")]
        assert len(found) == 51
        assert sum(float(line.rpartition(" ")[2]) for line in found) == 60


def test_an_egress_that_is_gone_takes_its_metrics_along(metrics: Metrics) -> None:
    metrics.read(attempted())
    gone = EgressChanged(
        at=ARRIVED, since=0, kind="Broker", namespace="shop", name="main", resource_uid="uid",
        egress_kind="Trigger", egress_namespace="shop", egress_name="t", egress_uid="uid",
        filter_spec="{}", gone=True,
    )  # fmt: skip
    metrics.read(gone)
    assert samples(metrics, "kn_eventing_dispatch_duration_seconds_count") == []
    assert samples(metrics, "knlite_trigger_deliveries_total") == []
