"""The page, its files, and the policy they come with."""

import re
from collections.abc import Mapping
from pathlib import Path

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from knlite.console.page import Page
from knlite.errors import NotFound

INDEX = """<!doctype html>
<meta name="knlite-token" content="" />
<meta name="knlite-nonce" content="" />
<script type="module" crossorigin src="/console/assets/index-abc.js"></script>
"""
SCRIPT = "export const there = true;\n" * 50
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX)
    (folder / "assets" / "index-abc.js").write_text(SCRIPT)
    (folder / "assets" / "notes.txt").write_text("not for the page")
    (tmp_path / "secret.js").write_text("hidden")
    return folder


async def _missing(_request: Request, exc: Exception) -> Response:
    return PlainTextResponse(str(exc), 404)


def get(folder: Path, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
    handlers = {NotFound: _missing, HTTPException: _missing}
    app = Starlette(routes=Page("t0ken", folder).routes(), exception_handlers=handlers)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            return await http.get(path, headers=dict(headers or {}))

    return anyio.run(ask)


def test_a_browser_gets_the_page_with_the_token_of_the_run(built: Path) -> None:
    answer = get(built, "/", HTML)
    assert answer.status_code == 200
    assert '<meta name="knlite-token" content="t0ken" />' in answer.text
    # Kept by nobody: the token and the names of its files are those of this run.
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("accept", ["application/json", "*/*", ""])
def test_a_client_of_kubernetes_gets_the_paths(built: Path, accept: str) -> None:
    answer = get(built, "/", {"Accept": accept})
    assert {"/api", "/apis", "/version"} <= set(answer.json()["paths"])


def test_nothing_runs_but_what_the_server_sends(built: Path) -> None:
    answer = get(built, "/", HTML)
    policy = dict(
        each.strip().split(" ", 1) for each in answer.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"


def test_styles_of_the_editor_have_a_nonce_that_nobody_can_guess(built: Path) -> None:
    nonces = set()
    for _ in range(3):
        answer = get(built, "/", HTML)
        found = re.search(r'name="knlite-nonce" content="([^"]{20,})"', answer.text)
        assert found is not None
        assert f"'nonce-{found[1]}'" in answer.headers["content-security-policy"]
        nonces.add(found[1])
    assert len(nonces) == 3


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_files_are_kept_for_ever_and_sent_small(built: Path, encoding: str) -> None:
    answer = get(built, "/console/assets/index-abc.js", {"Accept-Encoding": encoding})
    assert (answer.status_code, answer.text) == (200, SCRIPT)
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    assert (int(answer.headers["content-length"]) < len(SCRIPT)) == (encoding == "gzip")


@pytest.mark.parametrize(
    "name", ["gone.js", "..%2f..%2fsecret.js", "..%2findex.html", "%2e%2e", "notes.txt", "%00.js"]
)
def test_nothing_else_is_a_file_of_the_page(built: Path, name: str) -> None:
    assert get(built, f"/console/assets/{name}").status_code == 404


def test_a_checkout_without_the_page_says_how_to_build_it(tmp_path: Path) -> None:
    answer = get(tmp_path, "/", HTML)
    assert answer.status_code == 404
    assert "make console" in answer.text
