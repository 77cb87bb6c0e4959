"""Which changes of a func.yaml are a change of the code (Knative Functions reference §4.1)."""

from pathlib import Path

import pytest

from knlite.functions.contents import digest
from knlite.functions.funccode import essence

CREATED = """# A comment.
specVersion: 0.36.0
name: web
runtime: python
created: 2026-01-02T03:04:05Z
run:
  envs:
  - {name: A, value: b}
"""
DEPLOYED = """specVersion: 0.36.0
name: web
runtime: python
image: example.com/me/web:latest
namespace: default
created: 2026-01-02T03:04:05Z
build: {builder: pack}
run:
  envs:
  - {name: A, value: b}
deploy:
  namespace: default
  image: example.com/me/web:latest
"""


def test_what_func_writes_down_of_a_deployment_is_no_code(tmp_path: Path) -> None:
    file = tmp_path / "func.yaml"
    file.write_text(CREATED)
    before = digest(tmp_path)
    file.write_text(DEPLOYED)
    assert digest(tmp_path) == before


@pytest.mark.parametrize(
    "more",
    [
        "run: {envs: [{name: A, value: c}]}",
        "invoke: cloudevent",
        "build: {baseImage: python:3.12-slim}",
        "deploy: {healthEndpoints: {readiness: /ready}}",
        "logLevel: debug",
    ],
)
def test_what_changes_how_it_runs_is(more: str) -> None:
    assert essence(f"{DEPLOYED}{more}\n".encode()) != essence(DEPLOYED.encode())


@pytest.mark.parametrize("content", [b"[", b"- a", b"", b"\xff", b"a: b\na: c"])
def test_what_cannot_be_read_is_code_as_it_is(content: bytes) -> None:
    assert essence(content) == content


def test_tags_make_nothing() -> None:
    assert essence(b"a: !!python/object:os.system {}") == b'{"a": {}}'


def test_aliases_cannot_make_it_large_or_endless() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n"
        for old, new in zip("abcdefghi", "bcdefghij", strict=True)
    )
    for content in (bomb.encode(), b"a: &a [*a]\n", b"a: &a {b: *a}\n"):
        assert essence(content) == content


def test_only_the_one_at_the_top_counts(tmp_path: Path) -> None:
    inner = tmp_path / "fixtures" / "func.yaml"
    inner.parent.mkdir()
    inner.write_text(CREATED)
    before = digest(tmp_path)
    inner.write_text(DEPLOYED)
    assert digest(tmp_path) != before
