"""What a server of the tests' own proves itself with, by TLS."""

from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in PEM, and who vouches for them."""

    certificate: Path
    key: Path
    both: Path
    """Key and certificate in one file, as Kafka reads them."""
    authority: Path

    @property
    def ca(self) -> str:
        """What a client must trust."""
        return self.authority.read_text()


def certificates_in(folder: Path) -> Certificates:
    """Made for ``127.0.0.1`` and written to *folder*."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    chain = b"".join(each.bytes() for each in issued.cert_chain_pems)
    private = load_pem_private_key(issued.private_key_pem.bytes(), None)
    key = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files = Certificates(*(folder / name for name in ("cert.pem", "key.pem", "both.pem", "ca.pem")))
    files.certificate.write_bytes(chain)
    files.key.write_bytes(key)
    files.both.write_bytes(key + chain)
    files.authority.write_bytes(authority.cert_pem.bytes())
    return files
