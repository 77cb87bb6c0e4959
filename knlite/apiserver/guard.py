"""Who may ask at all: nobody's web page, and off loopback only who has the token.

A page that a person visits must not reach the admin port, neither through a name of its own that
it points at loopback (DNS rebinding) nor by sending requests across origins. The console's own page
shows that it is the one of this run before it changes anything. A link to the console works from
anywhere: opening it gives whoever has the link nothing to read.

Source: RFC 9110 §7.2 (Host), Fetch (``Origin``, ``Sec-Fetch-Site``), RFC 6750 (bearer tokens), RFC
7617 (passwords: Kubernetes' clients send no tokens over plain HTTP).
"""

import binascii
import hmac
from base64 import b64decode

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from knlite.apiserver.status import failure

_LOOPBACK = frozenset(("localhost", "127.0.0.1", "[::1]"))
_OWN_SITES = frozenset(("", "none", "same-origin"))
_READING = frozenset(("GET", "HEAD", "OPTIONS"))
PAGE_TOKEN = "x-knlite-token"
"""The header in which the console's page sends its token."""


class Guard:
    """Refuses requests before anything looks at them.

    With *token* every request needs it, and may name the server as it likes. What a page asks needs
    *page_token* in ``PAGE_TOKEN`` to change anything; programs need it for nothing.
    """

    def __init__(self, app: ASGIApp, token: str = "", page_token: str = "") -> None:
        self._app = app
        self._token = token
        self._page_token = page_token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 or 401, or pass the request on."""
        if scope["type"] == "http":
            headers = {
                name.decode("latin-1").lower(): value.decode("latin-1")
                for name, value in scope["headers"]
            }
            refusal = _foreign(headers, scope, any_name=bool(self._token))
            refusal = refusal or _unshown(headers, scope["method"], self._page_token)
            if refusal:
                await failure(403, "Forbidden", refusal)(scope, receive, send)
                return
            if self._token and not _has_token(headers, self._token):
                await _unauthorized(headers)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _foreign(headers: dict[str, str], scope: Scope, *, any_name: bool) -> str:
    """Why a request may be the work of a foreign page; empty if it is not."""
    host = headers.get("host", "").lower()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if not any_name and name not in _LOOPBACK:
        return f'the admin port answers to localhost only, not to "{name}"'
    origin = headers.get("origin", "").lower()
    if origin and origin.partition("://")[2] != host:
        return f'the admin port answers to its own pages only, not to those of "{origin}"'
    if headers.get("sec-fetch-site", "").lower() not in _OWN_SITES and not _opened(headers, scope):
        return "the admin port answers to its own pages only, not to those of other sites"
    return ""


def _opened(headers: dict[str, str], scope: Scope) -> bool:
    """Whether a person follows a link to the console, in a window of its own."""
    is_page = scope["method"] == "GET" and scope["path"] == "/"
    return is_page and headers.get("sec-fetch-dest", "").lower() == "document"


def _unshown(headers: dict[str, str], method: str, page_token: str) -> str:
    """Why a page must not change anything; empty if it may, or none asks.

    Every browser names the origin of a request that changes something.
    """
    if method in _READING or not ("origin" in headers or "sec-fetch-site" in headers):
        return ""
    given = headers.get(PAGE_TOKEN, "")
    if page_token and hmac.compare_digest(given.encode(), page_token.encode()):
        return ""
    if given:
        return "this page is of an earlier run of knlite: load it again"
    return "a page changes something only with the token of the console: use the console's page"


def _unauthorized(headers: dict[str, str]) -> JSONResponse:
    """The answer that makes a browser ask the person for the password."""
    answer = failure(401, "Unauthorized", "Unauthorized")
    scheme = "Basic" if "text/html" in headers.get("accept", "") else "Bearer"
    answer.headers["WWW-Authenticate"] = f'{scheme} realm="knlite"'
    return answer


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
