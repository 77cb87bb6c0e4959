"""Rules of probes: one handler, a port that exists, numbers that make sense.

``periodSeconds: 0`` asks for Knative's own aggressive probing, which has no timeout and no
threshold of failures.

Source: knative/serving ``pkg/apis/serving/k8s_validation.go``; Knative reference §1.6.
Not here: what a probe gets that says less (``defaults.py``), and how it is run (``serving/``).
"""

from knlite.kinds.fielderror import (
    Errors,
    FieldError,
    both,
    generic,
    invalid,
    neither,
    out_of_bounds,
)
from knlite.kinds.podspec.fields import Port, Probe

_INT32_MAX = 2**31 - 1


def probe_errors(probe: Probe | None, port_name: str | None) -> Errors:
    """Rules of all probes. *port_name* is the serving container's; None for a sidecar's probe."""
    if probe is None:
        return ()
    errors: list[FieldError] = []
    handlers: list[str] = []
    if probe.http_get is not None:
        handlers.append("httpGet")
        errors += _port_errors(probe.http_get.port, "httpGet.port", port_name)
    if probe.tcp_socket is not None:
        handlers.append("tcpSocket")
        errors += _port_errors(probe.tcp_socket.port, "tcpSocket.port", port_name)
    if probe.exec_ is not None:
        handlers.append("exec")
    if probe.grpc is not None:
        handlers.append("grpc")
    if not handlers:
        errors.append(neither("httpGet", "tcpSocket", "exec", "grpc"))
    elif len(handlers) > 1:
        # Upstream spells this one differently here.
        errors.append(both(*("gRPC" if each == "grpc" else each for each in handlers)))
    return tuple(errors)


def readiness_errors(probe: Probe | None, port_name: str | None) -> Errors:
    """Rules of a readiness probe, whose numbers Knative reads itself."""
    if probe is None:
        return ()
    errors = [*probe_errors(probe, port_name)]
    bounds = [
        (probe.period_seconds, 0, "periodSeconds"),
        (probe.initial_delay_seconds, 0, "initialDelaySeconds"),
        (probe.success_threshold, 1, "successThreshold"),
    ]
    if probe.period_seconds:
        bounds.append((probe.timeout_seconds, 1, "timeoutSeconds"))
        bounds.append((probe.failure_threshold, 1, "failureThreshold"))
    else:
        for field, value in (
            ("failureThreshold", probe.failure_threshold),
            ("timeoutSeconds", probe.timeout_seconds),
        ):
            if value:
                text = f"{field} is disallowed when periodSeconds is zero"
                errors.append(generic(text, field))
    errors += [
        out_of_bounds(value, least, _INT32_MAX, field)
        for value, least, field in bounds
        if value < least
    ]
    return tuple(errors)


def _port_errors(port: Port, path: str, port_name: str | None) -> Errors:
    if port_name is None:
        return () if port else (invalid(port, path, "Probe port must be specified"),)
    if isinstance(port, str) and port and port != port_name:
        return (invalid(port, path, "Probe port must match container port"),)
    return ()
