"""How clients of Kafka connect: addresses, TLS and login, as the library takes them."""

import asyncio
import ssl
import tempfile
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiokafka.conn import AIOKafkaConnection

from knlite.eventing.kafka.backing import KafkaServer
from knlite.eventlog.kafka.problems import NO_ADMIN, Refused, Trouble

CLIENT_ID = "knlite"


def client_of(reader: str) -> str:
    """As whom the reader of this uid joins its group: nobody else does, but the same reader in a
    run that goes on with the same data folder."""
    return f"{CLIENT_ID}-{reader}"


@contextmanager
def nothing_left_open() -> Iterator[None]:
    """Close the connection that a client of the library begins with, if it is canceled there.

    The library closes it after every error, but forgets it when the wait for the server's first
    answer is canceled; nobody but its own frame knows it then.
    """
    try:
        yield
    except asyncio.CancelledError as exc:
        for frame, _ in traceback.walk_tb(exc.__traceback__):
            left = frame.f_locals.get("bootstrap_conn")
            if isinstance(left, AIOKafkaConnection):
                left.close()
        raise


def connecting(server: KafkaServer) -> Mapping[str, Any]:
    """Arguments that all clients of the library have in common.

    Raises ``Refused`` for certificates that are none.
    """
    arguments: dict[str, Any] = {
        "bootstrap_servers": list(server.bootstrap),
        "client_id": CLIENT_ID,
        "security_protocol": server.protocol,
    }
    if server.protocol in {"SSL", "SASL_SSL"}:
        arguments["ssl_context"] = _tls(server)
    if server.protocol.startswith("SASL_"):
        arguments |= {
            "sasl_mechanism": server.mechanism or "PLAIN",
            "sasl_plain_username": server.user,
            "sasl_plain_password": server.password,
        }
    return arguments


def _tls(server: KafkaServer) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cadata=server.ca or None)
        if server.certificate:
            # The standard library reads them from files only.
            with tempfile.TemporaryDirectory(prefix="knlite-") as folder:
                certificate, key = Path(folder, "crt"), Path(folder, "key")
                certificate.write_text(server.certificate)
                key.touch(mode=0o600)
                key.write_text(server.key)
                context.load_cert_chain(certificate, key)
    except (ssl.SSLError, ValueError, TypeError, OSError) as exc:
        # What OpenSSL says of a key names no part of it.
        said = (isinstance(exc, ssl.SSLError) and exc.reason) or "they are not PEM"
        fix = "correct ca.crt, user.crt and user.key in the Secret, which are PEM"
        raise Refused(Trouble(NO_ADMIN, f"the certificates cannot be read: {said}", fix)) from exc
    return context
