"""Names of metrics as OpenTelemetry has them (Knative reference §6.1)."""

import pytest

from knlite.telemetry.otlp import names


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("http_server_request_duration_seconds", ("http.server.request.duration", "s")),
        ("http_server_request_body_size_bytes", ("http.server.request.body.size", "By")),
        ("kn_serving_invocation_duration_seconds", ("kn.serving.invocation.duration", "s")),
        ("kn_revision_pods_not_ready_count", ("kn.revision.pods.not_ready.count", "")),
        ("kn_revision_capacity_excess", ("kn.revision.capacity.excess", "")),
        ("kn_eventing_dispatch_duration_seconds", ("kn.eventing.dispatch.duration", "s")),
        ("knlite_cold_start_seconds", ("knlite.cold.start", "s")),
    ],
)
def test_a_metric(ours: str, theirs: tuple[str, str]) -> None:
    assert names.metric(ours) == theirs


def test_who_tells_what() -> None:
    assert names.of_requests("http_server_request_duration_seconds")
    assert names.of_platform("kn_revision_pods_count")
    for old in ("revision_request_count", "broker_filter_event_count", "autoscaler_panic_mode"):
        assert not names.of_platform(old)
        assert not names.of_requests(old)
