import pytest

from knlite.kinds.core.k8sservice import KubernetesService
from knlite.serving.views.ingressgateway import IngressGateways
from tests.unit.fake_view import FakeView


@pytest.mark.parametrize(
    ("namespace", "name"),
    [("istio-system", "istio-ingressgateway"), ("kourier-system", "kourier")],
)
def test_ports_80_and_443_lead_to_the_ports_of_the_gateway(namespace: str, name: str) -> None:
    found = IngressGateways("127.0.0.1", 8080, 8443).get(FakeView(), namespace, name)
    assert isinstance(found, KubernetesService)
    assert [(port.port, port.node_port) for port in found.spec.ports] == [
        (80, 8080),
        (443, 8443),
    ]
    assert found.status.load_balancer == {"ingress": [{"ip": "127.0.0.1"}]}


def test_nobody_else_is_found_and_none_is_listed() -> None:
    gateways = IngressGateways("127.0.0.1", 8080, 8443)
    assert gateways.get(FakeView(), "default", "kourier") is None
    assert not list(gateways.listed(FakeView(), ""))
