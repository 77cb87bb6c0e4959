"""config-deployment: how instances are started.

Source: knative/serving ``pkg/deployment/config.go``; Knative reference §1.9, §1.11.
Differs: there is no queue-proxy sidecar, so that its image need not be named; what else concerns
it, or the nodes of a cluster, is known but has no effect.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from knlite.kinds.config.values import ConfigInvalid, Values
from knlite.kinds.durations import format_go

NAME = "config-deployment"

_PROGRESS_DEADLINE = ("progress-deadline", "progressDeadline")
_RESOLUTION_TIMEOUT = ("digest-resolution-timeout", "digestResolutionTimeout")
_SKIPPING = ("registries-skipping-tag-resolving", "registriesSkippingTagResolving")
_AFFINITY = "default-affinity-type"
_AFFINITIES = ("none", "prefer-spread-revision-over-nodes")
_SIDECAR_QUANTITIES = frozenset(
    {
        "queue-sidecar-cpu-request",
        "queue-sidecar-cpu-limit",
        "queue-sidecar-memory-request",
        "queue-sidecar-memory-limit",
        "queue-sidecar-ephemeral-storage-request",
        "queue-sidecar-ephemeral-storage-limit",
    }
)
_WITHOUT_EFFECT = frozenset(
    {
        "queue-sidecar-image",
        "queue-sidecar-token-audiences",
        "queue-sidecar-rootca",
        "queue-sidecar-tls-min-version",
        "queue-sidecar-tls-max-version",
        "queue-sidecar-tls-cipher-suites",
        "queue-sidecar-tls-curve-preferences",
        "runtime-class-name",
        "pod-is-always-schedulable",
    }
)
KEYS: frozenset[str] = (
    frozenset({*_PROGRESS_DEADLINE, *_RESOLUTION_TIMEOUT, *_SKIPPING, _AFFINITY})
    | _SIDECAR_QUANTITIES
    | _WITHOUT_EFFECT
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentConfig:
    """Durations in seconds.

    Differs: upstream waits 600 s for a revision's first instance. At home nobody waits ten minutes
    to learn that the port is wrong, so it is 120 s, as in upstream's own test setup.
    """

    progress_deadline: float = 120.0
    digest_resolution_timeout: float = 10.0
    registries_skipping_tag_resolving: tuple[str, ...] = ("kind.local", "ko.local", "dev.local")


def parse(data: Mapping[str, str]) -> DeploymentConfig:
    """The section that *data* describes; raises ``ConfigInvalid``."""
    values = Values(data)
    standard = DeploymentConfig()
    deadline = _seconds(values, _PROGRESS_DEADLINE, standard.progress_deadline)
    if deadline % 1:
        raise ConfigInvalid(
            f"progress-deadline must be rounded to a whole second, was: {format_go(deadline)}"
        )
    patience = _seconds(values, _RESOLUTION_TIMEOUT, standard.digest_resolution_timeout)
    affinity = data.get(_AFFINITY, _AFFINITIES[0])
    if affinity not in _AFFINITIES:
        raise ConfigInvalid(f'unsupported {_AFFINITY} value: "{affinity}"')
    for key in sorted(_SIDECAR_QUANTITIES):
        values.quantity(key, "")
    values.flag("pod-is-always-schedulable", False)
    key, legacy_key = _SKIPPING
    return DeploymentConfig(
        progress_deadline=deadline,
        digest_resolution_timeout=patience,
        registries_skipping_tag_resolving=values.texts(
            key, values.texts(legacy_key, standard.registries_skipping_tag_resolving)
        ),
    )


def _seconds(values: Values, keys: tuple[str, str], default: float) -> float:
    """A duration above zero under a key or, where that is absent, its legacy spelling."""
    key, legacy_key = keys
    seconds = values.duration(key, values.duration(legacy_key, default))
    if seconds <= 0:
        raise ConfigInvalid(f"{key} cannot be a non-positive duration, was {format_go(seconds)}")
    return seconds
