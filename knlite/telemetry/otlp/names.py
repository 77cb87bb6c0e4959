"""Names of metrics and labels at /metrics as OpenTelemetry has them, and back.

A collector that makes Prometheus metrics of what it gets comes to the names of /metrics again.

Source: Knative reference §6.1, Eventing data plane reference §10; OpenTelemetry specification,
"Prometheus and OpenMetrics compatibility".
"""

_UNITS = (("_seconds", "s"), ("_bytes", "By"))
_LABELS = {
    "k8s_namespace_name": "k8s.namespace.name",
    "kn_service_name": "kn.service.name",
    "kn_configuration_name": "kn.configuration.name",
    "kn_revision_name": "kn.revision.name",
    "kn_route_tag": "kn.route.tag",
    "kn_broker_name": "kn.broker.name",
    "kn_broker_namespace": "kn.broker.namespace",
    "kn_channel_name": "kn.channel.name",
    "kn_channel_namespace": "kn.channel.namespace",
    "http_response_status_code": "http.response.status_code",
    "http_request_method": "http.request.method",
    "messaging_system": "messaging.system",
    "messaging_operation_name": "messaging.operation.name",
    "messaging_destination_name": "messaging.destination.name",
    "cloudevents_type": "cloudevents.type",
    "url_scheme": "url.scheme",
}
_OF_REQUESTS = ("http_server_", "kn_serving_")
_OURS = ("knlite_", "kn_", "http_")


def metric(name: str) -> tuple[str, str]:
    """The name that a metric has there, and its unit (empty: it counts something)."""
    unit = ""
    for ending, short in _UNITS:
        if name.endswith(ending):
            name, unit = name.removesuffix(ending), short
    return name.replace("_", ".").replace("not.ready", "not_ready"), unit


def attribute(label: str) -> str:
    """The name that a label has there."""
    return _LABELS.get(label, label)


def of_requests(name: str) -> bool:
    """Whether it is told by queue-proxies upstream, and so has an exporter of its own."""
    return name.startswith(_OF_REQUESTS)


def of_platform(name: str) -> bool:
    """Whether it is told by the rest; names of before 1.19 are there for old boards alone."""
    return name.startswith(_OURS) and not of_requests(name)
