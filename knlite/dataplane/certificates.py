"""A certificate and its key as what a TLS library answers with; and whether clients will like it.

The library reads keys from files only. On Linux that is one in memory, of which no folder knows;
elsewhere one in a folder for this user alone, that is gone before anything else happens.

Not here: where they come from (``serving/certificates.py``), who listens (``https.py``).
"""

import os
import re
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from knlite.serving.certificates import Certificate

PROTOCOLS = ("h2", "http/1.1")
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2; none of them is forbidden to HTTP/2 (RFC 9113, appendix A)."""
FLIGHTS = 8
"""More than a handshake ever takes in both directions."""

_FIRST = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


class Unfit(ValueError):
    """What is no certificate with its key; the text says why, and nothing of the key."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the host's connections are made with; *doubt* is why a client may refuse it, or empty.

    A doubtful certificate is presented all the same: it is the client who has to be convinced.
    """

    context: ssl.SSLContext
    doubt: str


def server_context() -> ssl.SSLContext:
    """How this server speaks TLS, whoever it proves to be.

    It gives no tickets to resume sessions with: a client that resumes one does not ask for the
    certificate again. The sessions of TLS 1.2 that the library keeps by itself go with the context.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.set_alpn_protocols(PROTOCOLS)
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.num_tickets = 0
    return context


def examined(certificate: Certificate) -> Proof:
    """*certificate*, tried on a client in memory. Raises ``Unfit``. Takes some milliseconds."""
    context = server_context()
    try:
        with _file(certificate.chain) as chain, _file(certificate.key) as key:
            # Without a password it would ask for one at the terminal.
            context.load_cert_chain(chain, key, password="")
        return Proof(context, _doubt(context, certificate))
    except ssl.SSLError as exc:
        raise Unfit(_words(exc)) from None


def _doubt(context: ssl.SSLContext, certificate: Certificate) -> str:
    """What a client has against the certificate that trusts whoever signed it. Raises SSLError."""
    first = _FIRST.search(certificate.chain)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # As browsers and Go's clients: a common name proves nothing.
    client.hostname_checks_common_name = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.load_verify_locations(cadata=first[0].decode("latin-1") if first else "")
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(to_client, to_server, server_hostname=certificate.host)
    proving = context.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(FLIGHTS):
        try:
            if _advance(asking) & _advance(proving):
                break
        except ssl.SSLCertVerificationError as exc:
            return exc.verify_message
    return ""


def _advance(side: ssl.SSLObject) -> bool:
    """Whether the handshake is over for *side*."""
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def _words(exc: ssl.SSLError) -> str:
    if exc.reason == "KEY_VALUES_MISMATCH":
        return "the private key is not that of the certificate"
    if not exc.reason:
        return "one of the two cannot be read; is it whole, in PEM, and the key not encrypted?"
    # Its own text names a line of the library's source as well.
    return exc.reason.replace("_", " ").lower()


@contextmanager
def _file(content: bytes) -> Iterator[str]:
    """The path of a file with *content*, for this process only and for this moment."""
    if hasattr(os, "memfd_create") and Path("/proc/self/fd").exists():
        with open(os.memfd_create("knlite"), "wb") as memory:
            memory.write(content)
            memory.flush()
            yield f"/proc/self/fd/{memory.fileno()}"
        return
    # Both are for this user alone: folders that it makes are 0700.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pem"
        path.touch(0o600)
        path.write_bytes(content)
        yield str(path)
