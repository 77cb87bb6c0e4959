"""When an instance is asked whether it is ready, and what it is asked.

Source: Knative reference §3.7; Kubernetes probes.
Differs: Knative's aggressive probing asks every 50 ms. Here it asks every 2 ms as long as a quick
program may need and then slows down to 50 ms, so that the probing does not show in a cold start.
"""

from dataclasses import dataclass

from knlite.kinds.podspec.fields import Container, HTTPGetAction, Port

FIRST_WAIT = 0.002
SLOWEST_WAIT = 0.05
BRISK_ATTEMPTS = 100
GROWTH = 1.05
ATTEMPT_TIMEOUT = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadinessProbe:
    """What makes an instance ready. Without *http_get* a connection is enough."""

    http_get: HTTPGetAction | None = None
    port: int = 0
    """Another port than the one requests go to; 0 for that one."""
    initial_delay: float = 0.0
    period: float = 0.0
    """0 for aggressive probing."""
    timeout: float = ATTEMPT_TIMEOUT
    success_threshold: int = 1

    def wait(self, attempts: int) -> float:
        """Seconds until the next attempt, after *attempts* that failed."""
        if self.period:
            return self.period
        slower = max(0, attempts - BRISK_ATTEMPTS)
        return min(FIRST_WAIT * GROWTH ** min(slower, 1000), SLOWEST_WAIT)


def readiness_probe(container: Container) -> ReadinessProbe:
    """How the readiness of *container* is found out."""
    probe = container.readiness_probe
    if probe is None:
        return ReadinessProbe()
    action = probe.http_get or probe.tcp_socket
    serving = container.ports[0].container_port if container.ports else 0
    port = _number(action.port, container) if action is not None else 0
    return ReadinessProbe(
        http_get=probe.http_get,
        # A process serves on a port of its own, whatever the manifest says of the container's.
        port=0 if port in (serving or 8080, serving) else port,
        initial_delay=probe.initial_delay_seconds,
        period=probe.period_seconds,
        timeout=probe.timeout_seconds or ATTEMPT_TIMEOUT,
        success_threshold=max(1, probe.success_threshold),
    )


def _number(port: Port, container: Container) -> int:
    if isinstance(port, int):
        return port
    return next((each.container_port for each in container.ports if each.name == port), 0)
