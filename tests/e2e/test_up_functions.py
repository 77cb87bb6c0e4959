"""``knlite up`` on what ``func create`` has made, every template of every language in one run."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from knlite.functions.creation import create
from knlite.functions.templaterepository import built_in
from tests.e2e.executable import COMPILING, Knlite

pytestmark = pytest.mark.e2e

TOOLS = {"node": ("node", "npm"), "go": ("go",), "typescript": ("node", "npm")}
"""What a language needs beyond Python."""
EVENT = {
    "Ce-Specversion": "1.0",
    "Ce-Type": "order.paid",
    "Ce-Source": "/shop",
    "Ce-Id": "7",
    "Content-Type": "application/json",
}


def test_every_template_runs_as_it_is_created(up: Callable[..., Knlite], tmp_path: Path) -> None:
    repository = built_in()
    made = {
        f"{language}-{template}": template
        for language in repository.languages
        for template in repository.of(language)
        if all(shutil.which(tool) for tool in TOOLS.get(language, ()))
    }
    assert len(made) >= 5
    for name, template in made.items():
        found = repository.find(name.removesuffix(f"-{template}"), template)
        assert found is not None
        create(tmp_path / name, found, created="2026-01-02T03:04:05Z")
    run = up(tmp_path, "--runtime", "process", "--no-watch").settled(COMPILING)
    for name, template in made.items():
        events = template.endswith("cloudevents")
        headers = {"Host": f"{name}.default.localhost", "Content-Type": "application/json"}
        answer = run.http.post(
            "/", headers={**headers, **(EVENT if events else {})}, content=b'{"order": 7}'
        )
        assert answer.status_code == 200, (name, answer.text, run.logged(name, ""))
        assert "order" in answer.text
        if events:
            structured = "cloudevents+json" in answer.headers["content-type"]
            told = answer.json()["type"] if structured else answer.headers["ce-type"]
            assert told == "function.response", name

    rows = [row.split() for row in run.shown("func", "list").splitlines()]
    assert {(row[0], row[1]) for row in rows[1:]} == {(name, "default") for name in made}
    place = str(tmp_path / "python-http")
    url = run.shown("func", "describe", "--path", place, "-o", "url").strip()
    assert url == f"http://python-http.default.localhost:{run.port}"
    assert run.follows_files() is not True
