"""Who may ask at all: nobody's web page, and off loopback only who has the token.

A page that a person visits must not reach the admin port, neither through a name of its own that
it points at loopback (DNS rebinding) nor by sending requests across origins.

Source: RFC 9110 §7.2 (Host), Fetch (``Origin``, ``Sec-Fetch-Site``), RFC 6750 (bearer tokens), RFC
7617 (passwords: Kubernetes' clients send no tokens over plain HTTP).
"""

import binascii
import hmac
from base64 import b64decode

from starlette.types import ASGIApp, Receive, Scope, Send

from knlite.apiserver.status import failure

_LOOPBACK = frozenset(("localhost", "127.0.0.1", "[::1]"))
_OWN_SITES = frozenset(("", "none", "same-origin"))


class Guard:
    """Refuses requests before anything looks at them.

    With *token* every request needs it, and may name the server as it likes.
    """

    def __init__(self, app: ASGIApp, token: str = "") -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 or 401, or pass the request on."""
        if scope["type"] == "http":
            headers = {
                name.decode("latin-1").lower(): value.decode("latin-1")
                for name, value in scope["headers"]
            }
            refusal = _foreign(headers, any_name=bool(self._token))
            if refusal:
                await failure(403, "Forbidden", refusal)(scope, receive, send)
                return
            if self._token and not _has_token(headers, self._token):
                answer = failure(401, "Unauthorized", "Unauthorized")
                answer.headers["WWW-Authenticate"] = 'Bearer realm="knlite"'
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _foreign(headers: dict[str, str], *, any_name: bool) -> str:
    """Why a request may be the work of a foreign page; empty if it is not."""
    host = headers.get("host", "").lower()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if not any_name and name not in _LOOPBACK:
        return f'the admin port answers to localhost only, not to "{name}"'
    origin = headers.get("origin", "").lower()
    if origin and origin.partition("://")[2] != host:
        return f'the admin port answers to its own pages only, not to those of "{origin}"'
    if headers.get("sec-fetch-site", "").lower() not in _OWN_SITES:
        return "the admin port answers to its own pages only, not to those of other sites"
    return ""


def _has_token(headers: dict[str, str], token: str) -> bool:
    """Whether the token is there, as such or as a password."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            given = b64decode(given, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return False
    elif scheme.lower() != "bearer":
        return False
    # In constant time, so that it cannot be guessed letter by letter.
    return hmac.compare_digest(given.strip().encode(), token.encode())
