"""config-defaults: what a revision gets when its manifest does not say.

Source: knative/serving ``pkg/apis/config/defaults.go``; Knative reference §1.4, §1.7.
"""

from collections.abc import Mapping
from dataclasses import dataclass

NAME = "config-defaults"


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultsConfig:
    """Timeouts in seconds; resource texts are quantities, empty when not set."""

    revision_timeout_seconds: int = 300
    max_revision_timeout_seconds: int = 600
    revision_response_start_timeout_seconds: int = 300
    revision_idle_timeout_seconds: int = 0
    container_concurrency: int = 0
    container_concurrency_max_limit: int = 1000
    allow_container_concurrency_zero: bool = True
    enable_service_links: bool | None = False
    """None leaves the field of the manifest as it is (``default`` upstream)."""
    revision_cpu_request: str = ""
    revision_memory_request: str = ""
    revision_ephemeral_storage_request: str = ""
    revision_cpu_limit: str = ""
    revision_memory_limit: str = ""
    revision_ephemeral_storage_limit: str = ""
    container_name_template: str = "user-container"
    init_container_name_template: str = "init-container"


def parse(data: Mapping[str, str]) -> DefaultsConfig:
    """The section that *data* describes; raises ``ConfigInvalid``."""
    raise NotImplementedError
