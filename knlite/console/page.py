"""The page of the console and the files that belong to it, as ``console`` is built.

Nothing is read before somebody opens it. The page carries the token that changes need, and a nonce
for the styles that the editor makes; the policy it comes with lets it load and ask nothing but this
server.

Source: Content Security Policy Level 3, Trusted Types; RFC 9110 §12.5.3 (Accept-Encoding).
"""

import gzip
import secrets
from dataclasses import dataclass
from html import escape
from pathlib import Path

import anyio
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from knlite.apiserver.negotiation import media_types
from knlite.errors import NotFound

STATIC = Path(__file__).parent / "static"
ASSETS = "/console/assets"
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}';"
    " img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script';"
    " trusted-types 'none'"
)
SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
UNBUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>knlite</title>
<p>The console has not been built in this checkout of knlite. Build it, which needs Node.js 20 or
newer, and load this page again: <code>make console</code>
<p>An installed knlite brings the console along. Everything else works without it.
"""
PATHS = (
    "/api",
    "/api/v1",
    "/apis",
    "/healthz",
    "/livez",
    "/metrics",
    "/openapi/v2",
    "/openapi/v3",
    "/readyz",
    "/version",
)
"""What a client that wants no page is told of, as by Kubernetes (clients-api reference, Part 2)."""
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _Asset:
    plain: bytes
    zipped: bytes
    media_type: str


class Page:
    """The page of one run; a changing request that it makes carries *token*."""

    def __init__(self, token: str, folder: Path = STATIC) -> None:
        self._token = token
        self._folder = folder
        self._assets: dict[str, _Asset] = {}

    def routes(self) -> list[Route]:
        """``/``, and the files under ``ASSETS``."""
        return [Route("/", self._root), Route(ASSETS + "/{name}", self._asset)]

    async def _root(self, request: Request) -> Response:
        if not _wants_page(request.headers.get("accept", "")):
            return JSONResponse({"paths": PATHS}, headers={"Vary": "Accept"})
        try:
            text = await anyio.Path(self._folder / "index.html").read_text("utf-8")
        except FileNotFoundError:
            return HTMLResponse(UNBUILT, 404, {"Vary": "Accept", **SAFE})
        nonce = secrets.token_urlsafe(16)
        for name, value in (("token", self._token), ("nonce", nonce)):
            empty = f'<meta name="knlite-{name}" content="" />'
            text = text.replace(empty, empty.replace('""', f'"{escape(value)}"'))
        headers = {
            "Content-Security-Policy": POLICY.format(nonce=nonce),
            # The files it names are those of this version; it is asked for each time.
            "Cache-Control": "no-store",
            "Vary": "Accept",
            **SAFE,
        }
        return HTMLResponse(text, headers=headers)

    async def _asset(self, request: Request) -> Response:
        """A file of the page. Raises ``NotFound``."""
        name = request.path_params["name"]
        found = self._assets.get(name)
        if found is None:
            found = await anyio.to_thread.run_sync(self._read, name)
            self._assets[name] = found
        headers = {"Cache-Control": _FOREVER, "Vary": "Accept-Encoding", **SAFE}
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(found.plain, headers=headers, media_type=found.media_type)
        headers["Content-Encoding"] = "gzip"
        return Response(found.zipped, headers=headers, media_type=found.media_type)

    def _read(self, name: str) -> _Asset:
        folder = self._folder / "assets"
        # Only what is listed there is read: a name from the network never becomes a path.
        path = next((each for each in _files(folder) if each.name == name), None)
        if path is None or path.suffix not in TYPES:
            raise NotFound(f'the console has no file "{name}"', fix="load its page again")
        plain = path.read_bytes()
        return _Asset(plain, gzip.compress(plain, 9, mtime=0), TYPES[path.suffix])


def _files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _wants_page(accept: str) -> bool:
    """Whether a browser asks: programs name JSON, or nothing."""
    return any(media_type == "text/html" for media_type, _ in media_types(accept))
