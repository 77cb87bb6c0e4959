"""How an instance reaches the gateway: cluster URLs as seen from where the instance runs.

Objects keep the cluster's URLs, so that manifests and status read as they would there. Only what
is put into an instance's environment is rewritten: a container resolves the cluster's names (but
the gateway may listen on another port than 80), a local process resolves nothing and uses path
addresses.

Source: knlite's addresses, README section "Addresses".
"""

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

CLUSTER_DOMAIN = "svc.cluster.local"
_BROKER_INGRESS_SHORT = "broker-ingress.knative-eventing"
BROKER_INGRESS = f"{_BROKER_INGRESS_SHORT}.{CLUSTER_DOMAIN}"
BROKER_HOSTS = (_BROKER_INGRESS_SHORT, f"{_BROKER_INGRESS_SHORT}.svc", BROKER_INGRESS)
"""All names by which services find brokers, as for every name inside the cluster."""
_CHANNEL = "-kn-channel"
"""End of the names by which channels are found (Eventing data plane reference §8)."""
_BROKER = "-broker-ingress"
"""End of the names by which Brokers of class RabbitMQBroker are found."""
_BY_PATH = {
    BROKER_INGRESS: "brokers",
    f"kafka-{BROKER_INGRESS}": "brokers",
    f"kafka-sink-ingress.knative-eventing.{CLUSTER_DOMAIN}": "kafkasinks",
}
"""Hosts at which the path names whom it is for."""


@dataclass(frozen=True, slots=True)
class ByPath:
    """Through path addresses below *base*, such as ``http://127.0.0.1:8080``."""

    base: str


@dataclass(frozen=True, slots=True)
class ByHost:
    """Through the cluster's host names, on *port*."""

    port: int


Vantage = ByPath | ByHost


def seen_from(vantage: Vantage, url: str) -> str:
    """*url* as an instance at *vantage* has to write it; foreign URLs stay as they are."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "http" or not host.endswith(f".{CLUSTER_DOMAIN}") or parts.port is not None:
        return url
    if isinstance(vantage, ByHost):
        netloc = host if vantage.port == 80 else f"{host}:{vantage.port}"
        return urlunsplit(parts._replace(netloc=netloc))
    path = _path_address(host, parts.path)
    if path is None:
        return url
    rest = urlunsplit(("", "", path, parts.query, parts.fragment))
    return vantage.base + rest


def _path_address(host: str, path: str) -> str | None:
    collection = _BY_PATH.get(host)
    if collection is not None:
        namespace, _, name = path.removeprefix("/").partition("/")
        return f"/ns/{namespace}/{collection}/{name}" if namespace and name else None
    labels = host.removesuffix(f".{CLUSTER_DOMAIN}").split(".")
    if len(labels) != 2:
        return None
    name, namespace = labels
    channel = name.removesuffix(_CHANNEL)
    if channel and channel != name:
        return f"/ns/{namespace}/channels/{channel}{path}"
    broker = name.removesuffix(_BROKER)
    if broker and broker != name and path in {"", "/"}:
        return f"/ns/{namespace}/brokers/{broker}"
    return f"/ns/{namespace}/services/{name}{path}"
