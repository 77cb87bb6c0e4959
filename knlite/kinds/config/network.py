"""config-network and config-domain: how names of routes are made.

Source: knative/networking ``pkg/config/config.go``, knative/serving
``pkg/reconciler/route/config``; Knative reference §5.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

NAME = "config-network"
DOMAIN_NAME = "config-domain"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """Templates use Go's syntax: ``{{.Name}}.{{.Namespace}}.{{.Domain}}``."""

    domain_template: str = "{{.Name}}.{{.Namespace}}.{{.Domain}}"
    tag_template: str = "{{.Tag}}-{{.Name}}"
    default_external_scheme: str = "http"
    rollout_duration: int = 0
    """Seconds; 0 switches at once."""
    http_protocol: str = "enabled"


@dataclass(frozen=True, slots=True)
class DomainConfig:
    """Domain to the labels a Route must have to get it; no labels make it the default.

    Differs: without configuration the domain is ``localhost``, so that URLs work from the host.
    """

    domains: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: {"localhost": {}})

    def domain_for(self, labels: Mapping[str, str]) -> str:
        """The domain of a Route with *labels*: most selector keys wins, then the smallest name."""
        raise NotImplementedError


def parse(data: Mapping[str, str]) -> NetworkConfig:
    """The section that *data* describes; raises ``ConfigInvalid``."""
    raise NotImplementedError


def parse_domain(data: Mapping[str, str]) -> DomainConfig:
    """The section that *data* describes; raises ``ConfigInvalid``."""
    raise NotImplementedError
