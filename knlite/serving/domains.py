"""Names of routes on the network: templates, domains, cluster-local hosts.

Source: Knative reference §5.1, §5.2; knative/serving ``pkg/reconciler/route/domains``.
"""

from knlite.kinds.config.bundle import Config
from knlite.kinds.config.templates import fill
from knlite.kinds.labels import VISIBILITY
from knlite.kinds.names import domain_problem
from knlite.kinds.serving.route import Route
from knlite.serving.vantage import CLUSTER_DOMAIN

CLUSTER_LOCAL = "cluster-local"


class DomainError(ValueError):
    """A template gives no domain name."""


def is_local(route: Route, config: Config) -> bool:
    """Whether *route* is reached from inside the cluster only."""
    if route.metadata.labels.get(VISIBILITY) == CLUSTER_LOCAL:
        return True
    domain = config.domain.domain_for(route.metadata.labels)
    return f".{domain}".endswith(f".{CLUSTER_DOMAIN}")


def tagged_name(route: Route, tag: str, config: Config) -> str:
    """The name of *route* under *tag*; its own name without one."""
    if not tag:
        return route.metadata.name
    return fill(config.network.tag_template, {"Tag": tag, "Name": route.metadata.name})


def local_host(route: Route, tag: str, config: Config) -> str:
    """The host of *route* inside the cluster, in full. Raises ``DomainError``."""
    name = f"{tagged_name(route, tag, config)}.{route.metadata.namespace}.{CLUSTER_DOMAIN}"
    return _checked(name)


def public_host(route: Route, tag: str, config: Config) -> str:
    """The host of *route* outside the cluster. Raises ``DomainError``."""
    meta = route.metadata
    fields = {
        "Name": tagged_name(route, tag, config),
        "Namespace": meta.namespace,
        "Domain": config.domain.domain_for(meta.labels),
    }
    template = config.network.domain_template
    return _checked(fill(template, fields, labels=meta.labels, annotations=meta.annotations))


def local_hosts(namespace: str, name: str) -> tuple[str, ...]:
    """The hosts of *name* inside the cluster, the longest last."""
    short = f"{name}.{namespace}"
    return (short, f"{short}.svc", f"{short}.{CLUSTER_DOMAIN}")


def external_url(host: str, config: Config) -> str:
    """The URL of *host* from outside, with the gateway's port unless it is 80."""
    port = "" if config.external_port == 80 else f":{config.external_port}"
    return f"{config.network.default_external_scheme}://{host}{port}"


def https_url(host: str, config: Config) -> str:
    """The URL of *host*, which has a certificate, with the port for HTTPS unless it is 443."""
    port = "" if config.external_tls_port == 443 else f":{config.external_tls_port}"
    return f"https://{host}{port}"


def url_of(route: Route, tag: str, local: bool, config: Config) -> str:
    """The URL of *route* under *tag*, which is *local* or public. Raises ``DomainError``."""
    if local:
        return f"http://{local_host(route, tag, config)}"
    return external_url(public_host(route, tag, config), config)


def _checked(host: str) -> str:
    problem = domain_problem("url", host)
    if problem:
        raise DomainError(f'domain name error: invalid domain name "{host}": {problem}')
    return host
