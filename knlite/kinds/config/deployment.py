"""config-deployment: how instances are started.

Source: knative/serving ``pkg/deployment/config.go``; Knative reference §1.9, §1.11.
"""

from collections.abc import Mapping
from dataclasses import dataclass

NAME = "config-deployment"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentConfig:
    """Durations in seconds.

    Differs: upstream waits 600 s for a revision's first instance. At home nobody waits ten minutes
    to learn that the port is wrong, so it is 120 s, as in upstream's own test setup.
    """

    progress_deadline: float = 120.0
    registries_skipping_tag_resolving: tuple[str, ...] = ("kind.local", "ko.local", "dev.local")


def parse(data: Mapping[str, str]) -> DeploymentConfig:
    """The section that *data* describes; raises ``ConfigInvalid``."""
    raise NotImplementedError
