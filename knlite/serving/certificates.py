"""Which certificate proves what host, by the Secrets that Ingresses name.

Source: knative/serving ``pkg/apis/serving/v1beta1/domainmapping_lifecycle.go`` (reasons and texts);
Kubernetes' Secrets of type ``kubernetes.io/tls``; Knative reference §1.13.
Not here: whether a key fits its certificate (``dataplane/certificates.py``).
"""

from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from knlite.kinds.core.secret import Secret
from knlite.kinds.serving.ingress import Ingress
from knlite.reconcile import View

CHAIN = "tls.crt"
KEY = "tls.key"

NOT_READY = "CertificateNotReady"
"""The certificate may still come."""
FAILED = "CertificateProvisionFailed"
"""What there is cannot be used."""
PORT_UNAVAILABLE = "PortUnavailable"
"""Nothing is wrong with the certificate, but nothing can listen with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """By what a server proves that it is *host*. The key is shown nowhere."""

    namespace: str
    secret: str
    host: str
    chain: bytes
    """PEM, the host's own certificate first."""
    key: bytes = field(repr=False)
    """PEM."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a host has no certificate: one of the reasons above, and a sentence."""

    reason: str
    message: str


def not_ready(secret: str, why: str = "") -> Unusable:
    """There is no certificate yet in *secret*, as far as is known."""
    return Unusable(NOT_READY, f"Certificate {secret} is not ready." + (f" {why}" if why else ""))


def failed(secret: str, why: str) -> Unusable:
    """What is in *secret* cannot be used."""
    return Unusable(FAILED, f"Certificate {secret} failed to be provisioned. {why}")


def certificates(ingresses: Iterable[Ingress], view: View) -> Mapping[str, Certificate | Unusable]:
    """What each host has that one of *ingresses* wants a certificate for, in lower case.

    As with upstream's gateways, any Secret with the two entries will do, whatever its type.
    """
    found: dict[str, Certificate | Unusable] = {}
    for ingress in ingresses:
        for tls in ingress.spec.tls:
            namespace = tls.secret_namespace or ingress.metadata.namespace
            secret = view.get(Secret, namespace, tls.secret_name)
            for host in tls.hosts:
                found[host.lower()] = _of(secret, namespace, tls.secret_name, host.lower())
    return found


def _of(secret: Secret | None, namespace: str, name: str, host: str) -> Certificate | Unusable:
    where = f"Secret {namespace}/{name}"
    if secret is None:
        return not_ready(name, f"There is no {where}.")
    for entry in (CHAIN, KEY):
        if not secret.data.get(entry):
            return failed(name, f"{where} (type {secret.type}) has no {entry}.")
    chain, key = (b64decode(secret.data[entry]) for entry in (CHAIN, KEY))
    if b"-----BEGIN CERTIFICATE-----" not in chain:
        return failed(name, f"{CHAIN} of {where} holds no certificate in PEM.")
    if b"PRIVATE KEY-----" not in key:
        return failed(name, f"{KEY} of {where} holds no private key in PEM.")
    if b"ENCRYPTED" in key:
        return failed(name, f"{KEY} of {where} is encrypted, and nobody is here who knows how.")
    return Certificate(namespace=namespace, secret=name, host=host, chain=chain, key=key)
