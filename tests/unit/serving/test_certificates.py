"""Which host has which certificate (Knative reference §1.13, §5.6)."""

from base64 import b64encode

import pytest

from knlite.kinds.core.secret import Secret
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.serving.ingress import Ingress, IngressSpec, IngressTLS
from knlite.serving.certificates import Certificate, Unusable, certificates
from tests.unit.fake_view import FakeView

CHAIN = b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"
KEY = b"-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----\n"
INGRESS = Ingress(
    metadata=ObjectMeta(name="a", namespace="team"),
    spec=IngressSpec(
        tls=(IngressTLS(hosts=("A.example.org",), secret_name="s", secret_namespace="team"),)
    ),
)


def secret(namespace: str = "team", type_: str = "kubernetes.io/tls", **entries: bytes) -> Secret:
    return Secret(
        metadata=ObjectMeta(name="s", namespace=namespace),
        type=type_,
        data={f"tls.{name}": b64encode(value).decode() for name, value in entries.items()},
    )


def found(*secrets: Secret) -> Certificate | Unusable:
    (only,) = certificates([INGRESS], FakeView(*secrets)).items()
    assert only[0] == "a.example.org"
    return only[1]


@pytest.mark.parametrize("type_", ["kubernetes.io/tls", "Opaque"])
def test_a_host_has_the_certificate_of_its_secret(type_: str) -> None:
    assert found(secret(type_=type_, crt=CHAIN, key=KEY)) == Certificate(
        namespace="team", secret="s", host="a.example.org", chain=CHAIN, key=KEY
    )


def test_the_key_is_not_shown() -> None:
    assert "hush" not in repr(found(secret(crt=CHAIN, key=KEY)))


def test_a_secret_of_another_namespace_is_nobodys() -> None:
    assert found(secret("other", crt=CHAIN, key=KEY)) == Unusable(
        "CertificateNotReady", "Certificate s is not ready. There is no Secret team/s."
    )


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        pytest.param({"crt": CHAIN}, "(type kubernetes.io/tls) has no tls.key.", id="no key"),
        pytest.param({"key": KEY}, "(type kubernetes.io/tls) has no tls.crt.", id="no chain"),
        pytest.param(
            {"crt": b"\x30\x82", "key": KEY},
            "tls.crt of Secret team/s holds no certificate in PEM.",
            id="DER",
        ),
        pytest.param(
            {"crt": CHAIN, "key": CHAIN},
            "tls.key of Secret team/s holds no private key in PEM.",
            id="not a key",
        ),
        pytest.param(
            {"crt": CHAIN, "key": KEY.replace(b"PRIVATE", b"ENCRYPTED PRIVATE")},
            "tls.key of Secret team/s is encrypted, and nobody is here who knows how.",
            id="encrypted",
        ),
    ],
)
def test_what_cannot_be_used_is_said(entries: dict[str, bytes], why: str) -> None:
    unusable = found(secret(**entries))
    assert isinstance(unusable, Unusable)
    assert unusable.reason == "CertificateProvisionFailed"
    assert unusable.message.startswith("Certificate s failed to be provisioned. ")
    assert unusable.message.endswith(why)
