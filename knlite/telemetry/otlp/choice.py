"""Where traces and metrics go: OpenTelemetry's environment variables and config-observability.

The ConfigMap says whether and by which protocol, as on a cluster; a variable that names an endpoint
says where, and without a protocol in the ConfigMap also that.

Source: OpenTelemetry specification, "OTLP exporter" and "Environment variables"; knative/pkg
``observability/tracing/provider.go``, ``observability/metrics/provider.go``.
Differs: upstream's ConfigMap alone switches telemetry on. ``stdout`` has no effect: standard output
is the person's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from knlite.eventing.trace import Sampler
from knlite.kinds.config.observability import GRPC, HTTP, MetricsConfig, TracingConfig

INTERVAL = 60.0
"""Seconds between pushes of metrics while something happens, unless told."""
_PROTOCOLS = (GRPC, HTTP)


@dataclass(frozen=True, slots=True)
class Target:
    """Who is told, and how."""

    protocol: str
    """``grpc`` or ``http/protobuf``."""
    endpoint: str
    """The URL; for HTTP with its path."""

    @property
    def shown(self) -> str:
        """The endpoint without a password that may be in it."""
        parts = urlsplit(self.endpoint)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


@dataclass(frozen=True, slots=True)
class Traces:
    """Who gets traces, and which."""

    target: Target
    sampler: Sampler


@dataclass(frozen=True, slots=True)
class Pushed:
    """Who gets metrics, and how often."""

    target: Target
    interval: float


def traces(environ: Mapping[str, str], config: TracingConfig) -> Traces | None:
    """None: nobody wants traces. Raises ``ValueError`` for what cannot be done."""
    target = _target("TRACES", "/v1/traces", environ, config.protocol, config.endpoint)
    if target is None:
        return None
    told = config.rate if config.protocol in _PROTOCOLS else 1.0
    return Traces(target, _sampler(environ, told))


def metrics(environ: Mapping[str, str], config: MetricsConfig) -> Pushed | None:
    """None: nobody wants metrics pushed. Raises ``ValueError`` for what cannot be done."""
    target = _target("METRICS", "/v1/metrics", environ, config.protocol, config.endpoint)
    if target is None:
        return None
    interval = config.interval
    text = environ.get("OTEL_METRIC_EXPORT_INTERVAL", "").strip()
    if not interval and text:
        interval = _number("OTEL_METRIC_EXPORT_INTERVAL", text) / 1000
    return Pushed(target, interval or INTERVAL)


def _target(
    signal: str, path: str, environ: Mapping[str, str], configured: str, endpoint: str
) -> Target | None:
    wanted = environ.get(f"OTEL_{signal}_EXPORTER", "otlp").strip() or "otlp"
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or wanted == "none":
        return None
    of_signal = environ.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT", "").strip()
    of_all = environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip()
    if configured in _PROTOCOLS:
        protocol = configured
    elif not (of_signal or of_all):
        return None
    else:
        if "otlp" not in wanted.split(","):
            raise ValueError(
                f"OTEL_{signal}_EXPORTER is {wanted!r}, and knlite knows otlp and none"
            )
        protocol = (
            environ.get(f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", "").strip()
            or environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "").strip()
            or HTTP
        )
        if protocol not in _PROTOCOLS:
            raise ValueError(f"its protocol is {protocol!r}, and knlite knows {HTTP} and {GRPC}")
    if of_signal:
        return Target(protocol, of_signal)
    if of_all:
        return Target(protocol, of_all if protocol == GRPC else of_all.rstrip("/") + path)
    return Target(protocol, _completed(endpoint, "" if protocol == GRPC else path))


def _completed(endpoint: str, path: str) -> str:
    """The endpoint of a ConfigMap as a whole URL, as Go's exporters take it."""
    if "://" not in endpoint:
        endpoint = f"https://{endpoint}"
    if urlsplit(endpoint).path in {"", "/"}:
        endpoint = endpoint.rstrip("/") + path
    return endpoint


def _sampler(environ: Mapping[str, str], rate: float) -> Sampler:
    argument = environ.get("OTEL_TRACES_SAMPLER_ARG", "").strip()
    share = _share(argument) if argument else 1.0
    match environ.get("OTEL_TRACES_SAMPLER", "").strip():
        case "always_on":
            return Sampler(1.0, follows=False)
        case "always_off":
            return Sampler(0.0, follows=False)
        case "traceidratio":
            return Sampler(share, follows=False)
        case "parentbased_always_on":
            return Sampler(1.0)
        case "parentbased_always_off":
            return Sampler(0.0)
        case "parentbased_traceidratio":
            return Sampler(share)
        case "":
            rate = share if argument else rate
            return Sampler(rate, follows=rate > 0)
        case other:
            raise ValueError(f"OTEL_TRACES_SAMPLER is {other!r}, which knlite does not know")


def _share(text: str) -> float:
    share = _number("OTEL_TRACES_SAMPLER_ARG", text)
    if share > 1:
        raise ValueError(f"OTEL_TRACES_SAMPLER_ARG is {text!r}, and must be between 0 and 1")
    return share


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e12:
        raise ValueError(f"{name} is {text!r}, which is no number that makes sense there")
    return number
