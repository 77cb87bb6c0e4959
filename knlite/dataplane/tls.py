"""Certificates by the name that a client asks for (SNI), in one context for a listening socket.

Source: RFC 6066 §3 (server_name), RFC 7301 (ALPN); Knative reference §5.6.
Not here: which certificate belongs to which host (``serving/certificates.py``).
"""

import os
import ssl
import tempfile
from collections.abc import Mapping

from knlite.serving.certificates import Certificate

_PROTOCOLS = ("h2", "http/1.1")


class Certificates:
    """What hosts show to clients; changes while connections are open, for those that follow."""

    def __init__(self) -> None:
        self._by_host: dict[str, tuple[Certificate, ssl.SSLContext]] = {}
        self.front = _context()
        """For the listening socket: has no certificate but those of its hosts."""
        self.front.sni_callback = self._choose

    def __bool__(self) -> bool:
        return bool(self._by_host)

    def update(self, wanted: Mapping[str, Certificate]) -> Mapping[str, str]:
        """Show these from now on; returns, by host, why one cannot be shown."""
        before, self._by_host = self._by_host, {}
        problems: dict[str, str] = {}
        for host, certificate in wanted.items():
            known = before.get(host)
            try:
                context = (
                    known[1]
                    if known is not None and known[0] == certificate
                    else _with(certificate)
                )
            except (OSError, ValueError) as exc:
                reason = getattr(exc, "reason", None) or str(exc)
                problems[host] = f"the certificate cannot be used: {reason}"
            else:
                self._by_host[host] = (certificate, context)
        return problems

    def _choose(
        self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, front: ssl.SSLContext
    ) -> int | None:
        found = self._by_host.get((name or "").lower())
        if found is None:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = found[1]
        return None


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(list(_PROTOCOLS))
    return context


def _with(certificate: Certificate) -> ssl.SSLContext:
    """A context that shows *certificate*. Raises ``OSError`` (``ssl.SSLError``), ``ValueError``."""
    context = _context()
    # The library reads certificates from files only; this one nobody else may read.
    handle, path = tempfile.mkstemp(prefix="knlite-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(certificate.chain.rstrip() + b"\n" + certificate.key)

        def no_password() -> str:
            raise ValueError("its key is encrypted")

        context.load_cert_chain(path, password=no_password)
    finally:
        os.unlink(path)
    return context
