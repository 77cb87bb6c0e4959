"""The core Services of an ingress gateway, by which programs for clusters find the gateway's port.

Knative's own test suites, given an endpoint or not, ask for the Service of Istio's gateway (or of
another one that their environment names) before each request, and send that to the node port of the
port in the URL.

Source: knative/pkg ``test/ingress/ingress.go``; knative-extensions/net-kourier ``config``.
Differs: there is no such ingress here, so they are answered by name and are in no list.
"""

from collections.abc import Iterable

from knlite.kinds.core.k8sservice import (
    KubernetesService,
    KubernetesServiceSpec,
    KubernetesServiceStatus,
    ServicePort,
)
from knlite.kinds.meta import Object, ObjectMeta
from knlite.reconcile import Key, View

NAMES = (("istio-system", "istio-ingressgateway"), ("kourier-system", "kourier"))
_HTTP, _HTTPS = 80, 443


class IngressGateways:
    """Those of a gateway that listens on *port* of *address*, and for HTTPS on *tls_port*;
    implements ``Derivation``."""

    kind: type[Object] = KubernetesService

    def __init__(self, address: str, port: int, tls_port: int) -> None:
        self._services = {name: _service(*name, address, port, tls_port) for name in NAMES}

    def get(self, view: View, namespace: str, name: str) -> Object | None:
        """The one of that name, if it is among them."""
        return self._services.get((namespace, name))

    def listed(self, view: View, namespace: str) -> Iterable[Object]:
        """None of them: nobody has installed them."""
        return ()

    def following(self, obj: Object) -> Iterable[Key]:
        """They follow from nothing."""
        return ()


def _service(
    namespace: str, name: str, address: str, port: int, tls_port: int
) -> KubernetesService:
    ports = tuple(
        ServicePort(name=each, port=usual, protocol="TCP", target_port=real, node_port=real)
        for each, usual, real in (("http2", _HTTP, port), ("https", _HTTPS, tls_port))
    )
    return KubernetesService(
        metadata=ObjectMeta(name=name, namespace=namespace, resource_version="1"),
        spec=KubernetesServiceSpec(type="LoadBalancer", ports=ports, session_affinity="None"),
        status=KubernetesServiceStatus(load_balancer={"ingress": [{"ip": address}]}),
    )
