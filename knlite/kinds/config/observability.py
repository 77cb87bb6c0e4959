"""config-observability: whether requests are logged, and where traces and metrics go.

Source: Knative reference §6.3; knative/serving ``config/core/configmaps/observability.yaml``,
``pkg/observability``; knative/pkg ``observability/{tracing,metrics}/config.go``.
Differs: of templates for the request log only the default one is understood, which gives one object
of JSON for each request; another is refused rather than passed over. Probes are answered before
they become requests, so that enable-probe-request-log has no effect. One ConfigMap is for Serving
and Eventing. ``prometheus`` changes nothing, as /metrics is always there; profiling is known but
has no effect.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from knlite.kinds.config.values import ConfigInvalid, Values

NAME = "config-observability"

ENABLE_REQUEST_LOG = "logging.enable-request-log"
REQUEST_LOG_TEMPLATE = "logging.request-log-template"
REVISION_URL_TEMPLATE = "logging.revision-url-template"
TRACING_PROTOCOL = "tracing-protocol"
TRACING_ENDPOINT = "tracing-endpoint"
TRACING_RATE = "tracing-sampling-rate"
METRICS_PROTOCOL = "metrics-protocol"
METRICS_ENDPOINT = "metrics-endpoint"
METRICS_INTERVAL = "metrics-export-interval"
OF_REQUESTS = "request-"
"""Before the keys of metrics: those that queue-proxies tell of requests, by keys of their own."""

KEYS: frozenset[str] = frozenset(
    {
        ENABLE_REQUEST_LOG,
        REQUEST_LOG_TEMPLATE,
        REVISION_URL_TEMPLATE,
        TRACING_PROTOCOL,
        TRACING_ENDPOINT,
        TRACING_RATE,
        METRICS_PROTOCOL,
        METRICS_ENDPOINT,
        METRICS_INTERVAL,
        OF_REQUESTS + METRICS_PROTOCOL,
        OF_REQUESTS + METRICS_ENDPOINT,
        OF_REQUESTS + METRICS_INTERVAL,
        # Without effect:
        "logging.enable-probe-request-log",
        "logging.enable-var-log-collection",
        "runtime-profiling",
        "profiling.enable",
        "metrics.backend-destination",
        "metrics.request-metrics-backend-destination",
    }
)

DEFAULT_TEMPLATE = (
    '{"httpRequest": {"requestMethod": "{{.Request.Method}}",'
    ' "requestUrl": "{{js .Request.RequestURI}}",'
    ' "requestSize": "{{.Request.ContentLength}}", "status": {{.Response.Code}},'
    ' "responseSize": "{{.Response.Size}}", "userAgent": "{{js .Request.UserAgent}}",'
    ' "remoteIp": "{{js .Request.RemoteAddr}}", "serverIp": "{{.Revision.PodIP}}",'
    ' "referer": "{{js .Request.Referer}}", "latency": "{{.Response.Latency}}s",'
    ' "protocol": "{{.Request.Proto}}"}, "traceId": "{{.TraceID}}"}'
)
_OLD_TRACE_ID = '{{index .Request.Header "X-B3-Traceid"}}'


NONE = "none"
GRPC = "grpc"
HTTP = "http/protobuf"
STDOUT = "stdout"
PROMETHEUS = "prometheus"


@dataclass(frozen=True, slots=True, kw_only=True)
class TracingConfig:
    """Where traces go."""

    protocol: str = NONE
    """``none``, ``grpc``, ``http/protobuf`` or ``stdout``."""
    endpoint: str = ""
    rate: float = 0.0
    """The share of traces begun here that is told, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsConfig:
    """Where metrics are pushed to."""

    protocol: str = NONE
    """``none``, ``prometheus``, ``grpc`` or ``http/protobuf``."""
    endpoint: str = ""
    interval: float = 0.0
    """Seconds; 0: what OpenTelemetry takes, a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservabilityConfig:
    """What is logged of requests, where logs of revisions are looked at, and who is told more."""

    request_log: bool = False
    revision_url_template: str = ""
    """``${REVISION_UID}`` stands for the revision's uid; empty for no URL."""
    tracing: TracingConfig = TracingConfig()
    metrics: MetricsConfig = MetricsConfig()
    """Of the platform."""
    request_metrics: MetricsConfig = MetricsConfig()


def parse(data: Mapping[str, str]) -> ObservabilityConfig:
    """The section that *data* describes; raises ``ConfigInvalid``."""
    values = Values(data)
    template = values.text(REQUEST_LOG_TEMPLATE, DEFAULT_TEMPLATE).strip()
    understood = {_spaceless(DEFAULT_TEMPLATE)}
    understood.add(_spaceless(DEFAULT_TEMPLATE.replace("{{.TraceID}}", _OLD_TRACE_ID)))
    if template and _spaceless(template) not in understood:
        raise ConfigInvalid(
            f"{REQUEST_LOG_TEMPLATE} is another than the default one, which is all that knlite"
            " understands; leave it out here, and keep it for the cluster"
        )
    # Without a template there is nothing to write, for upstream as well.
    return ObservabilityConfig(
        request_log=bool(template) and values.flag(ENABLE_REQUEST_LOG, False),
        revision_url_template=values.text(REVISION_URL_TEMPLATE, ""),
        tracing=_tracing(values),
        metrics=_metrics(values, ""),
        request_metrics=_metrics(values, OF_REQUESTS),
    )


def _tracing(values: Values) -> TracingConfig:
    protocol, endpoint = values.text(TRACING_PROTOCOL, NONE), values.text(TRACING_ENDPOINT, "")
    if protocol in {GRPC, HTTP}:
        if not endpoint:
            raise ConfigInvalid(f'endpoint should be set for protocol "{protocol}"')
    elif protocol not in {NONE, STDOUT}:
        raise ConfigInvalid(f'unsupported protocol "{protocol}"')
    elif endpoint:
        raise ConfigInvalid("endpoint should not be set when protocol is 'none'")
    rate = values.number(TRACING_RATE, 0.0)
    if rate < 0:
        raise ConfigInvalid(f"sampling rate {rate:f} should be greater or equal to zero")
    if rate > 1:
        raise ConfigInvalid(f"sampling rate {rate:f} should be less than or equal to one")
    return TracingConfig(protocol=protocol, endpoint=endpoint, rate=rate)


def _metrics(values: Values, prefix: str) -> MetricsConfig:
    protocol = values.text(prefix + METRICS_PROTOCOL, NONE)
    endpoint = values.text(prefix + METRICS_ENDPOINT, "")
    if protocol in {GRPC, HTTP}:
        if not endpoint:
            raise ConfigInvalid(f'endpoint should be set when protocol is "{protocol}"')
    elif protocol not in {NONE, PROMETHEUS}:
        raise ConfigInvalid(f'unsupported protocol "{protocol}"')
    elif protocol == NONE and endpoint:
        raise ConfigInvalid(f'endpoint should not be set when protocol is "{protocol}"')
    interval = values.duration(prefix + METRICS_INTERVAL, 0.0)
    if interval < 0:
        raise ConfigInvalid(f'export interval "{interval:g}s" should be greater than zero')
    return MetricsConfig(protocol=protocol, endpoint=endpoint, interval=interval)


def _spaceless(template: str) -> str:
    return "".join(template.split())
