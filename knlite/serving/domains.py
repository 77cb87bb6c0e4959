"""Names of routes on the network: templates, domains, cluster-local hosts.

Source: Knative reference §5.1, §5.2; knative/serving ``pkg/reconciler/route/domains``.
"""

import re

from knlite.kinds.config.bundle import Config
from knlite.kinds.config.templates import fill
from knlite.kinds.labels import VISIBILITY
from knlite.kinds.serving.route import Route
from knlite.serving.vantage import CLUSTER_DOMAIN

CLUSTER_LOCAL = "cluster-local"

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


class DomainError(ValueError):
    """A template gives no domain name."""


def is_local(route: Route, config: Config) -> bool:
    """Whether *route* is reached from inside the cluster only."""
    if route.metadata.labels.get(VISIBILITY) == CLUSTER_LOCAL:
        return True
    return config.domain.domain_for(route.metadata.labels).endswith(CLUSTER_DOMAIN)


def tagged_name(route: Route, tag: str, config: Config) -> str:
    """The name of *route* under *tag*; its own name without one."""
    if not tag:
        return route.metadata.name
    return fill(config.network.tag_template, {"Tag": tag, "Name": route.metadata.name})


def public_host(route: Route, tag: str, config: Config) -> str:
    """The host of *route* outside the cluster. Raises ``DomainError``."""
    meta = route.metadata
    fields = {
        "Name": tagged_name(route, tag, config),
        "Namespace": meta.namespace,
        "Domain": config.domain.domain_for(meta.labels),
    }
    template = config.network.domain_template
    host = fill(template, fields, labels=meta.labels, annotations=meta.annotations)
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise DomainError(
            f"domain name error: invalid domain name {host!r} for template {template}"
        )
    return host


def local_hosts(namespace: str, name: str) -> tuple[str, ...]:
    """The hosts of *name* inside the cluster, the longest last."""
    short = f"{name}.{namespace}"
    return (short, f"{short}.svc", f"{short}.{CLUSTER_DOMAIN}")


def external_url(host: str, config: Config) -> str:
    """The URL of *host* from outside, with the gateway's port unless it is 80."""
    port = "" if config.external_port == 80 else f":{config.external_port}"
    return f"{config.network.default_external_scheme}://{host}{port}"
