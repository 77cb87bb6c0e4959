"""Facts and levels as Prometheus metrics (Knative reference §6.1, §6.2)."""

import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families

from knlite.facts import ColdStart, InstanceChanged, InstanceState, RequestDone, SourceSent
from knlite.serving.levels import InstanceCounts, RevisionLoad, RevisionScale
from knlite.telemetry.metrics import Metrics

NOW = datetime(2026, 1, 2, tzinfo=UTC)
OF = {"namespace": "default", "service": "web", "revision": "web-00001"}
LABELS = {
    "k8s_namespace_name": "default",
    "kn_service_name": "web",
    "kn_configuration_name": "web",
    "kn_revision_name": "web-00001",
}


def changed(instance: str, state: InstanceState) -> InstanceChanged:
    return InstanceChanged(at=NOW, **OF, instance=instance, state=state)


def done(**fields: object) -> RequestDone:
    usual: dict[str, object] = {
        "instance": "i", "method": "GET", "status": 200, "seconds": 0.02, "cold": False,
        "configuration": "web",
    }  # fmt: skip
    return RequestDone(at=NOW, **{**OF, **usual, **fields})  # type: ignore[arg-type]  # by name


def scale(**fields: object) -> RevisionScale:
    usual: dict[str, object] = {
        "configuration": "web", "desired": 2, "requested": 3,
        "instances": InstanceCounts(1, 2, 3, 4), "excess": -111.0, "panic": True,
        "metric": "concurrency", "stable": 1.5, "in_panic_window": 2.5, "target": 70.0,
    }  # fmt: skip
    return RevisionScale(**{**OF, **usual, **fields})  # type: ignore[arg-type]  # by name


def samples(metrics: Metrics, name: str) -> list[tuple[dict[str, str], float]]:
    families = text_string_to_metric_families(metrics.exposition().decode())
    return [(s.labels, s.value) for family in families for s in family.samples if s.name == name]


def value(metrics: Metrics, name: str, **labels: str) -> float:
    found = [v for own, v in samples(metrics, name) if labels.items() <= own.items()]
    assert len(found) == 1, f"{name}: {found}"
    return found[0]


def test_requests_have_the_labels_of_today() -> None:
    metrics = Metrics()
    metrics.read(done(route_tag="blue"))
    ((labels, count),) = samples(metrics, "http_server_request_duration_seconds_count")
    assert count == 1
    assert labels == {
        **LABELS,
        "http_response_status_code": "200",
        "http_request_method": "GET",
        "kn_route_tag": "blue",
    }


def test_a_histogram_counts_up_to_and_including_its_bounds() -> None:
    metrics = Metrics()
    for seconds in (0.005, 0.0051, 20.0):
        metrics.read(done(seconds=seconds))
    name = "http_server_request_duration_seconds"
    bounds = {le: value(metrics, f"{name}_bucket", le=le) for le in ("0.005", "0.01", "10.0")}
    assert bounds == {"0.005": 1, "0.01": 2, "10.0": 2}
    assert value(metrics, f"{name}_bucket", le="+Inf") == 3
    assert value(metrics, f"{name}_sum") == pytest.approx(20.0101)


def test_bodies_are_measured_empty_ones_too() -> None:
    metrics = Metrics()
    metrics.read(done(request_bytes=0, response_bytes=120))
    metrics.read(done(request_bytes=9000, response_bytes=0))
    for name, total in (("request", 9000), ("response", 120)):
        full = f"http_server_{name}_body_size_bytes"
        assert value(metrics, f"{full}_bucket", le="0.0") == 1
        assert value(metrics, f"{full}_count") == 2
        assert value(metrics, f"{full}_sum") == total


def test_the_time_in_the_instance_is_without_the_wait() -> None:
    metrics = Metrics()
    metrics.read(done(seconds=0.02))
    metrics.read(done(seconds=3.02, waited=3.0))
    metrics.read(done(seconds=5.0, instance=""))
    name = "kn_serving_invocation_duration_seconds"
    assert value(metrics, f"{name}_count") == 2
    assert value(metrics, f"{name}_sum") == pytest.approx(0.04)
    assert value(metrics, f"{name}_bucket", le="0.025") == 2
    assert value(metrics, "http_server_request_duration_seconds_count") == 3
    assert value(metrics, "http_server_request_duration_seconds_sum") == pytest.approx(8.04)


def test_no_client_can_make_labels() -> None:
    metrics = Metrics()
    for number in range(50):
        metrics.read(done(method=f"M{number}", status=number))
        metrics.read(done(method="GET", status=1000 + number))
    found = samples(metrics, "http_server_request_duration_seconds_count")
    assert {
        (labels["http_request_method"], labels["http_response_status_code"], count)
        for labels, count in found
    } == {("_OTHER", "other", 50), ("GET", "other", 50)}


def test_dashboards_of_before_find_their_names() -> None:
    metrics = Metrics()
    for method in ("GET", "POST"):
        metrics.read(done(method=method, seconds=0.02))
    metrics.read(done(status=503, route_tag="kn:default"))
    ok = {"response_code": "200", "response_code_class": "2xx", "route_tag": "DISABLED"}
    assert value(metrics, "revision_request_count", **ok) == 2
    assert value(metrics, "revision_request_latencies_sum", **ok) == pytest.approx(40)
    assert value(metrics, "revision_request_latencies_bucket", **ok, le="25.0") == 2
    failed = {"response_code": "503", "response_code_class": "5xx", "route_tag": "DEFAULT"}
    assert value(metrics, "revision_request_count", **failed) == 1
    ((labels, _), _) = samples(metrics, "revision_request_count")
    assert labels["configuration_name"] == "web"
    assert value(metrics, "revision_app_request_latencies_sum", **ok) == pytest.approx(40)


def test_boards_of_before_find_the_autoscalers_names() -> None:
    metrics = Metrics()
    load = RevisionLoad(**OF, queued=4, active=3, concurrency=6.5)
    metrics.ask(loads=lambda: [load], scales=lambda: [scale()])
    of = {"namespace_name": "default", "configuration_name": "web", "revision_name": "web-00001"}
    wanted = {
        "autoscaler_desired_pods": 2, "autoscaler_requested_pods": 3, "autoscaler_actual_pods": 1,
        "autoscaler_excess_burst_capacity": -111, "autoscaler_panic_mode": 1,
        "autoscaler_stable_request_concurrency": 1.5, "autoscaler_target_concurrency_per_pod": 70,
        "revision_queue_depth": 7, "activator_request_concurrency": 6.5,
    }  # fmt: skip
    assert {name: value(metrics, name, **of) for name in wanted} == wanted
    assert samples(metrics, "autoscaler_stable_requests_per_second") == []


def test_levels_are_read_when_somebody_asks() -> None:
    metrics = Metrics()
    asked = []

    def loads() -> list[RevisionLoad]:
        asked.append(1)
        return [RevisionLoad(**OF, queued=4, active=3, concurrency=6.5)]

    metrics.ask(loads=loads, scales=lambda: [scale()])
    for _ in range(100):
        metrics.read(done())
    assert not asked
    assert value(metrics, "kn_revision_request_queued", **LABELS) == 4
    assert value(metrics, "kn_revision_request_active", **LABELS) == 3
    assert value(metrics, "kn_serving_queue_depth", **LABELS) == 7
    assert value(metrics, "kn_revision_request_concurrency", **LABELS) == 6.5


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pods_desired", 2),
        ("pods_requested", 3),
        ("pods_count", 1),
        ("pods_not_ready_count", 2),
        ("pods_pending_count", 3),
        ("pods_terminating_count", 4),
        ("capacity_excess", -111),
        ("panic_mode", 1),
        ("concurrency_stable", 1.5),
        ("concurrency_panic", 2.5),
        ("concurrency_target", 70),
    ],
)
def test_the_autoscalers_gauges(name: str, expected: float) -> None:
    metrics = Metrics()
    metrics.ask(scales=lambda: [scale()])
    assert value(metrics, f"kn_revision_{name}", **LABELS) == expected


def test_a_revision_scaled_by_requests_per_second_has_those_gauges() -> None:
    metrics = Metrics()
    metrics.ask(scales=lambda: [scale(metric="rps", desired=None)])
    assert value(metrics, "kn_revision_rps_target") == 70
    assert not samples(metrics, "kn_revision_concurrency_target")
    assert not samples(metrics, "kn_revision_pods_desired"), "not known yet"


def test_what_belonged_to_a_revision_goes_with_it() -> None:
    metrics = Metrics()
    there: list[RevisionScale] = [scale()]
    metrics.ask(scales=lambda: there)
    metrics.read(done())
    metrics.read(changed("a", "failed"))
    metrics.read(cold_start())
    assert value(metrics, "knlite_instance_failures_total") == 1
    assert b"web-00001" in metrics.exposition()
    there.clear()
    assert b"web-00001" not in metrics.exposition()
    metrics.read(done())
    assert b"web-00001" not in metrics.exposition(), "its last request ended after it"


def test_revisions_that_are_gone_are_forgotten_even_if_nobody_scrapes() -> None:
    metrics = Metrics()
    metrics.ask(scales=lambda: [scale(revision="r-7999")])
    for number in range(2000):
        metrics.read(done(revision=f"r-{number}"))
    before = sys.getallocatedblocks()
    for number in range(2000, 8000):
        metrics.read(done(revision=f"r-{number}"))
    assert sys.getallocatedblocks() - before < 6000, "more than a block for each revision"


def cold_start() -> ColdStart:
    return ColdStart(
        at=NOW, **OF, instance="i", queued=0.001, created=0.01, started=0.02, ready=0.3,
        forwarded=0.31, first_byte=0.4,
    )  # fmt: skip


def test_a_cold_start_is_measured_by_its_stages() -> None:
    metrics = Metrics()
    metrics.read(cold_start())
    name = "knlite_cold_start_seconds"
    sums = {
        stage: value(metrics, f"{name}_sum", stage=stage)
        for stage in ("queued", "created", "started", "ready", "forwarded", "first_byte")
    }
    assert sums == {
        "queued": 0.001, "created": 0.01, "started": 0.02, "ready": 0.3, "forwarded": 0.31,
        "first_byte": 0.4,
    }  # fmt: skip


def test_a_thaw_is_no_cold_start() -> None:
    metrics = Metrics()
    metrics.read(replace(cold_start(), how="thawed"))
    assert value(metrics, "knlite_thaw_seconds_sum") == 0.4
    assert not list(samples(metrics, "knlite_cold_start_seconds_sum"))


def test_failed_instances_are_counted() -> None:
    metrics = Metrics()
    for state in ("starting", "ready", "failed", "starting", "failed", "gone"):
        metrics.read(changed("a", state))  # type: ignore[arg-type]  # narrowed by the tuple
    assert value(metrics, "knlite_instance_failures_total") == 2


def test_an_exposition_of_nothing_is_valid() -> None:
    assert list(text_string_to_metric_families(Metrics().exposition().decode()))


def test_events_of_sources_are_counted_by_what_became_of_them() -> None:
    metrics = Metrics()
    for status, why in ((202, ""), (202, ""), (503, "it answered 503")):
        metrics.read(
            SourceSent(
                at=NOW,
                kind="PingSource",
                namespace="shop",
                name="p",
                event_id="1",
                event_type="a",
                target="http://x.example",
                attempts=1,
                status=status,
                outcome="failed" if why else "delivered",
                why=why,
            )
        )
    of = {"namespace_name": "shop", "source_kind": "PingSource", "source_name": "p"}
    name = "knlite_source_events_total"
    assert value(metrics, name, **of, outcome="delivered", response_code="202") == 2.0
    assert value(metrics, name, **of, outcome="failed", response_code="503") == 1.0
