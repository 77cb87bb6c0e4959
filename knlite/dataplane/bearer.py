"""Bearer tokens on events: those that are sent along, and whether one that came lets its event in.

Source: knative/eventing ``pkg/auth/verifier.go`` (401, 403), ``pkg/kncloudevents``; RFC 6750.
Not here: making and checking tokens (``issuer.py``), who may send
what (``eventing/authorization.py``).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from knlite.errors import Unauthenticated
from knlite.eventing.authorization import Guard
from knlite.eventing.cloudevent import CloudEvent, Malformed
from knlite.facts import EventRefused

AUTHORIZATION = "Authorization"


class Tokens(Protocol):
    """Who makes tokens and knows its own again."""

    def of(self, namespace: str, account: str, audience: str) -> str:
        """A token of a ServiceAccount that is valid for some time yet."""
        ...

    def subject(self, token: str, audience: str) -> str:
        """Whose *token* for *audience* it is. Raises ``Unauthenticated``."""
        ...


class _NoTokens:
    def of(self, namespace: str, account: str, audience: str) -> str:
        return ""

    def subject(self, token: str, audience: str) -> str:
        raise Unauthenticated("no tokens are issued here")


NO_TOKENS: Tokens = _NoTokens()


class Denied(NamedTuple):
    """An event that is not let in."""

    status: int
    why: str


def denied(
    guard: Guard,
    headers: Sequence[tuple[str, str]],
    event: CloudEvent | Malformed,
    tokens: Tokens,
) -> Denied | None:
    """Why *event*, which came with *headers*, is not let in; None if it is."""
    subject = bearer_of(guard, headers, tokens)
    if isinstance(subject, Denied):
        return subject
    why = guard.denial(subject, None if isinstance(event, Malformed) else event)
    return Denied(403, why) if why else None


def refusal(
    at: datetime,
    where: tuple[str, str, str],
    no: Denied,
    client: str,
    event: CloudEvent | Malformed,
) -> EventRefused:
    """The fact that *where* (kind, namespace, name) has not let *event* in."""
    kind, namespace, name = where
    return EventRefused(
        at=at,
        kind=kind,
        namespace=namespace,
        name=name,
        status=no.status,
        why=no.why,
        sender=client,
        event_id="" if isinstance(event, Malformed) else event.id,
    )


def bearer_of(guard: Guard, headers: Sequence[tuple[str, str]], tokens: Tokens) -> str | Denied:
    """Who has sent *headers*, by their token."""
    given = next((value for name, value in headers if name.lower() == "authorization"), "")
    scheme, _, token = given.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return Denied(
            401,
            f'no token came with it: send "Authorization: Bearer TOKEN" with a token for the'
            f" audience {guard.audience} (kubectl create token ACCOUNT --audience AUDIENCE)",
        )
    try:
        return tokens.subject(token.strip(), guard.audience)
    except Unauthenticated as exc:
        return Denied(401, str(exc))


def bearing(tokens: Tokens, namespace: str, account: str, audience: str) -> tuple[str, str]:
    """The header with a token of *account* for *audience*."""
    return AUTHORIZATION, f"Bearer {tokens.of(namespace, account, audience)}"
