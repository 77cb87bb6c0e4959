"""config-defaults: what a revision gets when its manifest does not say.

Source: knative/serving ``pkg/apis/config/defaults.go``; Knative reference §1.4, §1.7.
Not here: giving the defaults to a revision (``podspec/defaults.py``, ``serving/revision.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from knlite.kinds.config.templates import fill
from knlite.kinds.config.values import ConfigInvalid, Values
from knlite.kinds.meta import ObjectMeta

NAME = "config-defaults"

_INT32_MAX = 2**31 - 1
_RESOURCES = (
    "revision-cpu-request",
    "revision-memory-request",
    "revision-ephemeral-storage-request",
    "revision-cpu-limit",
    "revision-memory-limit",
    "revision-ephemeral-storage-limit",
)
KEYS: frozenset[str] = frozenset(
    {
        "revision-timeout-seconds",
        "max-revision-timeout-seconds",
        "revision-response-start-timeout-seconds",
        "revision-idle-timeout-seconds",
        "container-concurrency",
        "container-concurrency-max-limit",
        "allow-container-concurrency-zero",
        "enable-service-links",
        "container-name-template",
        "init-container-name-template",
        *_RESOURCES,
    }
)


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
    values = Values(data)
    standard = DefaultsConfig()
    timeout = values.integer("revision-timeout-seconds", standard.revision_timeout_seconds)
    config = DefaultsConfig(
        revision_timeout_seconds=timeout,
        max_revision_timeout_seconds=values.integer(
            "max-revision-timeout-seconds", standard.max_revision_timeout_seconds
        ),
        revision_response_start_timeout_seconds=values.integer(
            "revision-response-start-timeout-seconds", timeout
        ),
        revision_idle_timeout_seconds=values.integer(
            "revision-idle-timeout-seconds", standard.revision_idle_timeout_seconds
        ),
        container_concurrency=values.integer(
            "container-concurrency", standard.container_concurrency
        ),
        container_concurrency_max_limit=values.integer(
            "container-concurrency-max-limit", standard.container_concurrency_max_limit
        ),
        allow_container_concurrency_zero=values.flag(
            "allow-container-concurrency-zero", standard.allow_container_concurrency_zero
        ),
        enable_service_links=_service_links(data),
        **{key.replace("-", "_"): values.quantity(key, "") for key in _RESOURCES},
        container_name_template=values.text(
            "container-name-template", standard.container_name_template
        ),
        init_container_name_template=values.text(
            "init-container-name-template", standard.init_container_name_template
        ),
    )
    _check(config)
    return config


def container_name(template: str, parent: ObjectMeta) -> str:
    """The name that *template* gives to the containers of *parent*."""
    return fill(
        template,
        {
            "Name": parent.name,
            "GenerateName": parent.generate_name,
            "Namespace": parent.namespace,
        },
        labels=parent.labels,
        annotations=parent.annotations,
    )


def _service_links(data: Mapping[str, str]) -> bool | None:
    """Absent means False; any text but true and false leaves the manifest's field alone."""
    found = data.get("enable-service-links")
    if found is None:
        return False
    return {"true": True, "false": False}.get(found.lower())


def _check(config: DefaultsConfig) -> None:
    """The bounds that upstream's webhook enforces, first violation first."""
    timeout = config.revision_timeout_seconds
    longest = config.max_revision_timeout_seconds
    start = config.revision_response_start_timeout_seconds
    idle = config.revision_idle_timeout_seconds
    limit = config.container_concurrency_max_limit
    concurrency = config.container_concurrency
    rules = (
        (
            timeout <= longest,
            f"revision-timeout-seconds ({timeout}) cannot be greater than"
            f" max-revision-timeout-seconds ({longest})",
        ),
        (
            start <= max(timeout, 0),
            f"revision-response-start-timeout-seconds ({start}) cannot be greater than"
            f" revision-timeout-seconds ({timeout})",
        ),
        (
            idle <= max(timeout, 0),
            f"revision-idle-timeout-seconds ({idle}) cannot be greater than"
            f" revision-timeout-seconds ({timeout})",
        ),
        (
            limit >= 1,
            f"expected 1 <= {limit} <= {_INT32_MAX}: container-concurrency-max-limit",
        ),
        (
            0 <= concurrency <= limit,
            f"expected 0 <= {concurrency} <= {limit}: container-concurrency",
        ),
    )
    for holds, text in rules:
        if not holds:
            raise ConfigInvalid(text)
    for template in (config.container_name_template, config.init_container_name_template):
        container_name(template, ObjectMeta())
