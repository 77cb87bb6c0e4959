"""Requests that are meant for the proxies and not for the application: health checks and probes.

They are answered before anything else: they wake no instance, take no place and are not counted.

Source: Knative reference §3.3 (activator), §3.7 (queue-proxy); knative/networking
``pkg/http/header``, knative/serving ``pkg/queue/health``.
Not here: readiness of instances (``probing.py``).
"""

from collections.abc import Iterable
from typing import NamedTuple

PROBE = b"k-network-probe"
HASH = b"k-network-hash"
KUBELET = b"k-kubelet-probe"
USER_AGENT = b"user-agent"
_TELLING = frozenset(map(len, (PROBE, KUBELET, USER_AGENT)))


class HealthAnswer(NamedTuple):
    """What a probe is answered; *hash* is to be echoed as K-Network-Hash unless it is empty."""

    status: int
    text: str
    hash: bytes = b""


def answer(
    headers: Iterable[tuple[bytes, bytes]], *, proxied: bool, ready: bool
) -> HealthAnswer | None:
    """The answer if a request with *headers* is a probe, else None.

    *proxied* says whether the activator is in the path, *ready* whether an instance is.
    """
    probe: bytes | None = None
    kubelet = checks = False
    for name, value in headers:
        if len(name) not in _TELLING:
            continue
        if name[0] in b"Kk":
            lower = name.lower()
            if lower == PROBE:
                probe = value
            elif lower == KUBELET:
                kubelet = True
        elif value.startswith(_AGENTS) and name.lower() == USER_AGENT:
            kubelet = kubelet or value.startswith(b"kube-probe/")
            checks = True
    if probe is None and not (kubelet or checks):
        return None
    if proxied and kubelet:
        return HealthAnswer(200, "")
    if probe == b"probe":
        return _with_hash(headers)
    if proxied:
        if probe is None:
            return None
        if probe == b"activator":
            return HealthAnswer(200, "activator")
        return HealthAnswer(400, f'unexpected probe header value: "{probe.decode("latin-1")}"\n')
    if not (kubelet or checks):
        return None
    if probe != b"queue":
        shown = (probe or b"").decode("latin-1")
        return HealthAnswer(400, f"unexpected probe header value: {shown}\n")
    return HealthAnswer(200, "queue") if ready else HealthAnswer(503, "")


def _with_hash(headers: Iterable[tuple[bytes, bytes]]) -> HealthAnswer:
    found = next((value for name, value in headers if name.lower() == HASH and value), b"")
    if not found:
        return HealthAnswer(
            400, 'a probe request must contain a non-empty "K-Network-Hash" header\n'
        )
    return HealthAnswer(200, "", found)


_AGENTS = (b"kube-probe/", b"Knative-Activator-Probe", b"Knative-Autoscaling-Probe")
