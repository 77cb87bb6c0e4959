"""Where telemetry goes, by OpenTelemetry's variables and config-observability."""

import pytest

from knlite.eventing.trace import Sampler
from knlite.kinds.config.observability import MetricsConfig, TracingConfig
from knlite.telemetry.otlp.choice import Pushed, Target, Traces, metrics, traces

NONE = TracingConfig()
HTTP = TracingConfig(protocol="http/protobuf", endpoint="http://c:4318/v1/traces", rate=0.5)
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def chosen(config: TracingConfig = NONE, **environ: str) -> Traces:
    found = traces(environ, config)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("environ", "config"),
    [
        pytest.param({}, NONE, id="nobody has asked"),
        pytest.param({ENDPOINT: ""}, NONE, id="an empty variable is none"),
        pytest.param({ENDPOINT: "http://c", "OTEL_SDK_DISABLED": "true"}, HTTP, id="switched off"),
        pytest.param({ENDPOINT: "http://c", "OTEL_TRACES_EXPORTER": "none"}, HTTP, id="no traces"),
        pytest.param({}, TracingConfig(protocol="stdout"), id="stdout is the person's"),
    ],
)
def test_no_traces(environ: dict[str, str], config: TracingConfig) -> None:
    assert traces(environ, config) is None


@pytest.mark.parametrize(
    ("environ", "config", "target"),
    [
        pytest.param(
            {ENDPOINT: "http://c:4318/"},
            NONE,
            Target("http/protobuf", "http://c:4318/v1/traces"),
            id="for all signals",
        ),
        pytest.param(
            {ENDPOINT: "http://no", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/x"},
            NONE,
            Target("http/protobuf", "http://c/x"),
            id="for traces",
        ),
        pytest.param(
            {ENDPOINT: "http://c:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            NONE,
            Target("grpc", "http://c:4317"),
            id="grpc",
        ),
        pytest.param({}, HTTP, Target("http/protobuf", HTTP.endpoint), id="the ConfigMap"),
        pytest.param(
            {},
            TracingConfig(protocol="http/protobuf", endpoint="http://c:4318"),
            Target("http/protobuf", "http://c:4318/v1/traces"),
            id="the ConfigMap without a path",
        ),
        pytest.param(
            {},
            TracingConfig(protocol="grpc", endpoint="c:4317"),
            Target("grpc", "https://c:4317"),
            id="the ConfigMap without a scheme",
        ),
        pytest.param(
            {ENDPOINT: "http://mine:4318"},
            HTTP,
            Target("http/protobuf", "http://mine:4318/v1/traces"),
            id="the environment says where",
        ),
    ],
)
def test_where_traces_go(environ: dict[str, str], config: TracingConfig, target: Target) -> None:
    assert chosen(config, **environ).target == target


@pytest.mark.parametrize(
    ("environ", "config", "sampler"),
    [
        pytest.param({ENDPOINT: "http://c"}, NONE, Sampler(1.0), id="all"),
        pytest.param({}, HTTP, Sampler(0.5), id="the ConfigMap's rate"),
        pytest.param(
            {},
            TracingConfig(protocol="grpc", endpoint="http://c"),
            Sampler(0.0, follows=False),
            id="none, as upstream, unless a rate is told",
        ),
        pytest.param({"OTEL_TRACES_SAMPLER_ARG": "0.1"}, HTTP, Sampler(0.1), id="the variable's"),
        pytest.param(
            {"OTEL_TRACES_SAMPLER": "always_on"}, HTTP, Sampler(1.0, follows=False), id="always"
        ),
        pytest.param(
            {
                "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
                "OTEL_TRACES_SAMPLER_ARG": "0.2",
            },
            HTTP,
            Sampler(0.2),
            id="a share",
        ),
    ],
)
def test_which_traces_are_told(
    environ: dict[str, str], config: TracingConfig, sampler: Sampler
) -> None:
    assert chosen(config, **environ).sampler == sampler


@pytest.mark.parametrize(
    "environ",
    [
        {ENDPOINT: "http://c", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"},
        {ENDPOINT: "http://c", "OTEL_TRACES_EXPORTER": "zipkin"},
        {ENDPOINT: "http://c", "OTEL_TRACES_SAMPLER": "jaeger_remote"},
        {ENDPOINT: "http://c", "OTEL_TRACES_SAMPLER_ARG": "nan"},
        {ENDPOINT: "http://c", "OTEL_TRACES_SAMPLER_ARG": "2"},
    ],
)
def test_what_cannot_be_done_is_said(environ: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(reversed(environ.values()))):
        traces(environ, NONE)


@pytest.mark.parametrize(
    ("environ", "config", "interval"),
    [
        pytest.param({}, {}, 60.0, id="a minute"),
        pytest.param({"OTEL_METRIC_EXPORT_INTERVAL": "500"}, {}, 0.5, id="the variable"),
        pytest.param({"OTEL_METRIC_EXPORT_INTERVAL": "500"}, {"interval": 30.0}, 30.0, id="both"),
    ],
)
def test_how_often_metrics_are_pushed(
    environ: dict[str, str], config: dict[str, float], interval: float
) -> None:
    told = MetricsConfig(protocol="grpc", endpoint="http://c:4317", **config)
    assert metrics(environ, told) == Pushed(Target("grpc", "http://c:4317"), interval)


def test_prometheus_pushes_nothing() -> None:
    assert metrics({}, MetricsConfig(protocol="prometheus")) is None


def test_a_password_is_not_shown() -> None:
    assert Target("grpc", "http://me:secret@c:4317/x?key=k").shown == "http://c:4317/x"
