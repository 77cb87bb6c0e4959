"""Facts as Prometheus metrics (Knative reference §6.1)."""

from datetime import UTC, datetime

from knlite.facts import InstanceChanged, InstanceState, RequestDone, ScaleDecided
from knlite.telemetry.bus import Bus
from knlite.telemetry.metrics import Metrics

NOW = datetime(2026, 1, 2, tzinfo=UTC)
OF = 'namespace_name="default",revision_name="web-00001"'


def changed(instance: str, state: InstanceState) -> InstanceChanged:
    return InstanceChanged(
        at=NOW,
        namespace="default",
        service="web",
        revision="web-00001",
        instance=instance,
        state=state,
    )


def value(metrics: Metrics, name: str) -> list[float]:
    lines = metrics.exposition().decode().splitlines()
    return [float(line.split()[-1]) for line in lines if line.startswith(f"{name}{{")]


def test_requests_are_counted_by_revision_and_status() -> None:
    metrics = Metrics()
    for status in (200, 200, 503):
        metrics.read(
            RequestDone(
                at=NOW, namespace="default", service="web", revision="web-00001", instance="i",
                method="GET", path="/", status=status, seconds=0.02, cold=False,
            )
        )  # fmt: skip
    assert sorted(value(metrics, "kn_serving_invocation_duration_seconds_count")) == [1, 2]


def test_ready_instances_are_counted_once_each() -> None:
    metrics = Metrics()
    for instance, state in (("a", "starting"), ("a", "ready"), ("b", "ready"), ("a", "draining")):
        metrics.read(changed(instance, state))  # type: ignore[arg-type]  # narrowed by the table
    assert value(metrics, "kn_revision_pods_count") == [1]
    metrics.read(changed("b", "failed"))
    assert value(metrics, "kn_revision_pods_count") == [0]
    assert value(metrics, "knlite_instance_failures_total") == [1]


def test_wanted_instances_and_panic_are_gauges() -> None:
    metrics = Metrics()
    metrics.read(
        ScaleDecided(
            at=NOW, namespace="default", service="web", revision="web-00001", desired=7, was=1,
            why="x", panic=True,
        )
    )  # fmt: skip
    assert value(metrics, "kn_revision_pods_desired") == [7]
    assert value(metrics, "kn_revision_panic_mode") == [1]


def test_a_reader_that_raises_is_dropped_and_the_others_go_on() -> None:
    bus = Bus()
    seen: list[object] = []

    def broken(_: object) -> None:
        raise ValueError("x")

    with bus.reading(broken), bus.reading(seen.append):
        bus.publish(changed("a", "ready"))
        bus.publish(changed("b", "ready"))
    assert len(seen) == 2
    assert len(bus.failures) == 1
