"""When the gateway hears of certificates, and what Ingresses are told of theirs."""

from base64 import b64encode
from datetime import UTC, datetime

import pytest

from knlite.controlplane.certificates import Certificates
from knlite.kinds.conditions import find
from knlite.kinds.core.secret import Secret
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.serving.ingress import CONDITIONS, Ingress, IngressSpec, IngressTLS
from knlite.registry.registry import Registry
from knlite.serving.certificates import PORT_UNAVAILABLE, Certificate, Unusable, failed
from tests.unit.registry.desk import registry

AT = datetime(2026, 1, 1, tzinfo=UTC)
PEM = {
    "tls.crt": b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n",
    "tls.key": b"-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----\n",
}
PAIR = Secret(
    metadata=ObjectMeta(name="pair", namespace="default"),
    data={name: b64encode(pem).decode() for name, pem in PEM.items()},
)
WANTS = Ingress(
    metadata=ObjectMeta(name="shop", namespace="default"),
    spec=IngressSpec(
        tls=(IngressTLS(hosts=("Shop.example.com",), secret_name="pair", secret_namespace=""),)
    ),
)


class Gateway:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Certificate, ...]] = []

    def certificates_changed(self, certificates: tuple[Certificate, ...]) -> None:
        self.told.append(certificates)


@pytest.fixture
def desk() -> Registry:
    return registry()


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
def certificates(gateway: Gateway) -> Certificates:
    made = Certificates()
    made.report_to(gateway)
    return made


def said(certificates: Certificates, condition: str) -> tuple[str, str] | None:
    """Status and reason; None as long as nothing is known."""
    editor = CONDITIONS.edit((), AT)
    if not certificates.configured(WANTS, editor):
        return None
    found = find(editor.result(), condition)
    assert found is not None
    return found.status, found.reason


def test_the_gateway_hears_only_of_what_is_new(
    certificates: Certificates, gateway: Gateway, desk: Registry
) -> None:
    certificates.push([], desk.view)
    assert gateway.told == []
    desk.create(PAIR, user="test")
    for _ in range(2):
        certificates.push([WANTS], desk.view)
    ((found,),) = gateway.told
    assert (found.host, found.chain, found.key) == ("shop.example.com", *PEM.values())
    certificates.push([], desk.view)
    assert gateway.told[1:] == [()]


def test_an_ingress_hears_of_a_certificate_once_somebody_has_looked_at_it(
    certificates: Certificates, gateway: Gateway, desk: Registry
) -> None:
    assert said(certificates, "NetworkConfigured") is None
    certificates.push([WANTS], desk.view)
    assert said(certificates, "NetworkConfigured") == ("Unknown", "CertificateNotReady")
    desk.create(PAIR, user="test")
    certificates.push([WANTS], desk.view)
    assert said(certificates, "NetworkConfigured") is None
    (found,) = gateway.told[-1]
    verdicts: list[tuple[Unusable | None, tuple[str, str], tuple[str, str]]] = [
        (None, ("True", ""), ("True", "")),
        (failed("pair", "no."), ("False", "CertificateProvisionFailed"), ("True", "")),
        (Unusable(PORT_UNAVAILABLE, "taken"), ("True", ""), ("False", PORT_UNAVAILABLE)),
    ]
    for verdict, network, balancer in verdicts:
        certificates.judged({found: verdict})
        assert said(certificates, "NetworkConfigured") == network
        assert said(certificates, "LoadBalancerReady") == balancer
