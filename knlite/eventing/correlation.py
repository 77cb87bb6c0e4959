"""Correlation ids: by which a reply is known to answer a request, and to one of ours.

An id is ``ID:SEAL:0``: the id of the event, a seal on it, and the number of the replica that holds
the request, of which there is one here. The seal is a nonce and an HMAC-SHA-256 of nonce and id,
in base64.

Source: knative/eventing ``pkg/requestreply/correlation_id.go``, ``cesql.go`` (form, replicas).
Differs: upstream seals by AES-GCM with a key from a Secret, and does not take back ids with colons;
see ``docs/adr/0029``.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

NONCE: Final = 12
"""Bytes."""


def key_of(uid: str) -> str:
    """The key of the RequestReply with that *uid*, which nobody can guess."""
    return hashlib.sha256(f"request-reply {uid}".encode()).hexdigest()


def correlation_id(event_id: str, key: str, nonce: bytes) -> str:
    """What marks the event with *event_id*; *nonce* is of ``NONCE`` random bytes."""
    seal = urlsafe_b64encode(nonce + _digest(event_id, key, nonce)).decode()
    return f"{event_id}:{seal}:0"


def is_ours(correlation: str, key: str) -> bool:
    """Whether *correlation* was made with *key*."""
    parts = correlation.rsplit(":", 2)
    if len(parts) != 3:
        return False
    try:
        sealed = urlsafe_b64decode(parts[1].encode("ascii"))
    except ValueError:
        return False
    nonce = sealed[:NONCE]
    return hmac.compare_digest(sealed[NONCE:], _digest(parts[0], key, nonce))


def verified(reply_id: str, _name: str, _namespace: str, key: str, index: int, count: int) -> bool:
    """CESQL's ``KN_VERIFY_CORRELATION_ID``: whether replica *index* of *count* waits for it.

    *key* stands where upstream has the name of a Secret.
    """
    replica = reply_id.rpartition(":")[2]
    if count <= 0 or not (replica.isascii() and replica.isdecimal() and len(replica) <= 9):
        return False
    return int(replica) % count == index and is_ours(reply_id, key)


def _digest(event_id: str, key: str, nonce: bytes) -> bytes:
    message = nonce + event_id.encode(errors="surrogatepass")
    return hmac.digest(key.encode(), message, "sha256")
