"""Which certificate belongs to which host: what Ingresses ask for, out of the Secrets they name.

Source: Knative reference §1.13 (``spec.tls`` of a DomainMapping), §5.6; Kubernetes core/v1 Secret
of type ``kubernetes.io/tls``.
Not here: whether a certificate is any good (``dataplane/tls.py``, which has to use it).
"""

from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field

from knlite.kinds.core.secret import Secret
from knlite.kinds.serving.ingress import Ingress
from knlite.reconcile import View

_CERTIFICATE, _KEY = "tls.crt", "tls.key"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A chain of certificates and the key of the first of them, as PEM."""

    chain: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Missing:
    """Why there is none."""

    why: str


def certificates(ingress: Ingress, view: View) -> Iterator[tuple[str, Certificate | Missing]]:
    """Every host of *ingress* that is to have a certificate, and which."""
    for each in ingress.spec.tls:
        found = _of(view.get(Secret, each.secret_namespace, each.secret_name))
        if isinstance(found, Missing):
            found = Missing(f'secret "{each.secret_namespace}/{each.secret_name}" {found.why}')
        for host in each.hosts:
            yield host, found


def _of(secret: Secret | None) -> Certificate | Missing:
    if secret is None:
        return Missing("not found")
    for key in (_CERTIFICATE, _KEY):
        if not secret.data.get(key):
            return Missing(f"has no {key}")
    # Admission has seen to it that these are base64.
    return Certificate(b64decode(secret.data[_CERTIFICATE]), b64decode(secret.data[_KEY]))
