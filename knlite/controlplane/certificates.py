"""Hands certificates to the gateway, and keeps what it says of them for the status of Ingresses.

Not here: which Secret a host's certificate is in (``serving/certificates.py``), whether it can be
used (``dataplane/https.py``), when to look (``projector.py``).
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from knlite.kinds.conditions import ConditionEditor
from knlite.kinds.serving.ingress import LOAD_BALANCER_READY, NETWORK_CONFIGURED, Ingress
from knlite.reconcile import View
from knlite.serving.certificates import (
    NOT_READY,
    PORT_UNAVAILABLE,
    Certificate,
    Unusable,
    certificates,
)


class CertificatesListener(Protocol):
    """Who proves to clients that they have come to the right host."""

    def certificates_changed(self, certificates: tuple[Certificate, ...]) -> None:
        """These are the certificates now; the projector wants to hear of each of them."""
        ...


class Certificates:
    """Those of all Ingresses."""

    def __init__(self) -> None:
        self._listener: CertificatesListener | None = None
        self._wanted: Mapping[str, Certificate | Unusable] = {}
        """What each host has that shall have a certificate."""
        self._judged: Mapping[Certificate, Unusable | None] = {}

    def report_to(self, listener: CertificatesListener) -> None:
        """Push certificates to this one."""
        self._listener = listener

    def push(self, ingresses: Iterable[Ingress], view: View) -> None:
        """Look at all that want a certificate, and tell the listener if something is new."""
        before, self._wanted = self._wanted, certificates(ingresses, view)
        if self._listener is not None and before != self._wanted:
            found = (each for each in self._wanted.values() if isinstance(each, Certificate))
            self._listener.certificates_changed(tuple(found))

    def judged(self, judged: Mapping[Certificate, Unusable | None]) -> None:
        """Those are presented to clients (None), or why they are not."""
        self._judged = judged

    def configured(self, ingress: Ingress, editor: ConditionEditor) -> bool:
        """Tell *editor* whether clients are served; False if that is not known yet."""
        editor.true(NETWORK_CONFIGURED)
        editor.true(LOAD_BALANCER_READY)
        for host in (host.lower() for tls in ingress.spec.tls for host in tls.hosts):
            found = self._wanted.get(host)
            if isinstance(found, Certificate):
                if found not in self._judged:
                    return False
                found = self._judged[found]
                if found is None:
                    continue
            elif found is None:
                return False
            if found.reason == PORT_UNAVAILABLE:
                editor.false(LOAD_BALANCER_READY, found.reason, found.message)
            elif found.reason == NOT_READY:
                editor.unknown(NETWORK_CONFIGURED, found.reason, found.message)
            else:
                editor.false(NETWORK_CONFIGURED, found.reason, found.message)
            break
        return True
