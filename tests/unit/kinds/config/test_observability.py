"""Knative reference §6.3: when requests are logged, and where telemetry goes."""

import pytest

from knlite.kinds.config.observability import (
    DEFAULT_TEMPLATE,
    MetricsConfig,
    ObservabilityConfig,
    TracingConfig,
    parse,
)
from knlite.kinds.config.values import ConfigInvalid

ENABLE, TEMPLATE = "logging.enable-request-log", "logging.request-log-template"


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        pytest.param({}, False, id="off by default"),
        pytest.param({ENABLE: "true"}, True, id="on"),
        pytest.param({ENABLE: "false"}, False, id="off"),
        pytest.param({ENABLE: "true", TEMPLATE: ""}, False, id="nothing to write"),
        pytest.param({ENABLE: "true", TEMPLATE: DEFAULT_TEMPLATE}, True, id="default"),
        pytest.param(
            {ENABLE: "true", TEMPLATE: DEFAULT_TEMPLATE.replace('": "', '":"') + "\n"},
            True,
            id="default, otherwise spaced",
        ),
        pytest.param(
            {
                ENABLE: "true",
                TEMPLATE: DEFAULT_TEMPLATE.replace(
                    "{{.TraceID}}", '{{index .Request.Header "X-B3-Traceid"}}'
                ),
            },
            True,
            id="default of before",
        ),
        pytest.param({TEMPLATE: DEFAULT_TEMPLATE}, False, id="a template alone"),
    ],
)
def test_when_requests_are_logged(data: dict[str, str], wanted: bool) -> None:
    assert parse(data).request_log is wanted


def test_another_template_is_refused_with_a_sentence() -> None:
    with pytest.raises(ConfigInvalid, match="all that knlite understands"):
        parse({TEMPLATE: "{{.Request.Method}}"})


TRACES = {"tracing-protocol": "http/protobuf", "tracing-endpoint": "http://c:4318/v1/traces"}


def test_where_traces_and_metrics_go() -> None:
    config = parse(
        {
            **TRACES,
            "tracing-sampling-rate": "0.1",
            "metrics-protocol": "grpc",
            "metrics-endpoint": "c:4317",
            "metrics-export-interval": "30s",
            "request-metrics-protocol": "prometheus",
        }
    )
    assert config.tracing == TracingConfig(
        protocol="http/protobuf", endpoint="http://c:4318/v1/traces", rate=0.1
    )
    assert config.metrics == MetricsConfig(protocol="grpc", endpoint="c:4317", interval=30.0)
    assert config.request_metrics == MetricsConfig(protocol="prometheus")


def test_nothing_goes_anywhere_unless_told() -> None:
    assert parse({}) == ObservabilityConfig()
    assert parse(TRACES).tracing.rate == 0


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"tracing-protocol": "grpc"}, 'endpoint should be set for protocol "grpc"'),
        ({"tracing-protocol": "zipkin"}, 'unsupported protocol "zipkin"'),
        (
            {"tracing-endpoint": "http://c"},
            "endpoint should not be set when protocol is 'none'",
        ),
        ({**TRACES, "tracing-sampling-rate": "1.5"}, "less than or equal to one"),
        ({**TRACES, "tracing-sampling-rate": "-1"}, "greater or equal to zero"),
        ({**TRACES, "tracing-sampling-rate": "much"}, 'failed to parse "tracing-sampling-rate"'),
        ({"metrics-protocol": "grpc"}, 'endpoint should be set when protocol is "grpc"'),
        ({"metrics-endpoint": "c"}, 'endpoint should not be set when protocol is "none"'),
        ({"request-metrics-protocol": "stdout"}, 'unsupported protocol "stdout"'),
        (
            {"metrics-protocol": "prometheus", "metrics-export-interval": "-1s"},
            "should be greater than zero",
        ),
    ],
)
def test_what_a_cluster_refuses_is_refused(data: dict[str, str], why: str) -> None:
    """Source: knative/pkg observability/tracing/config.go, observability/metrics/config.go."""
    with pytest.raises(ConfigInvalid, match=why):
        parse(data)
