"""config-observability: whether requests are logged, and how.

Source: Knative reference §6.3; knative/serving ``config/core/configmaps/observability.yaml``,
``pkg/observability``.
Differs: of templates for the request log only the default one is understood, which gives one object
of JSON for each request; another is refused rather than passed over. Probes are answered before
they become requests, so that enable-probe-request-log has no effect. What concerns exporters of
metrics and traces, and profiling, is known but has no effect.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from knlite.kinds.config.values import ConfigInvalid, Values

NAME = "config-observability"

ENABLE_REQUEST_LOG = "logging.enable-request-log"
REQUEST_LOG_TEMPLATE = "logging.request-log-template"
REVISION_URL_TEMPLATE = "logging.revision-url-template"

KEYS: frozenset[str] = frozenset(
    {
        ENABLE_REQUEST_LOG,
        REQUEST_LOG_TEMPLATE,
        REVISION_URL_TEMPLATE,
        # Without effect:
        "logging.enable-probe-request-log",
        "logging.enable-var-log-collection",
        "metrics-protocol",
        "metrics-endpoint",
        "metrics-export-interval",
        "request-metrics-protocol",
        "request-metrics-endpoint",
        "request-metrics-export-interval",
        "tracing-protocol",
        "tracing-endpoint",
        "tracing-sampling-rate",
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservabilityConfig:
    """What is logged of requests, and where logs of revisions are looked at."""

    request_log: bool = False
    revision_url_template: str = ""
    """``${REVISION_UID}`` stands for the revision's uid; empty for no URL."""


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
    )


def _spaceless(template: str) -> str:
    return "".join(template.split())
