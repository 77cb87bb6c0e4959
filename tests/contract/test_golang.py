"""What ``go build`` makes of a function, whatever is around it."""

import os
from pathlib import Path

import pytest

from knlite.functions import golang
from knlite.functions.making import Making
from tests.required import program


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_a_repository_around_the_cache_is_not_asked(tmp_path: Path) -> None:
    program("go")
    folder = tmp_path / "function"
    folder.mkdir()
    (folder / "go.mod").write_text("module function\n\ngo 1.21\n")
    (folder / "handle.go").write_text(
        'package function\n\nimport "net/http"\n\n'
        "func Handle(http.ResponseWriter, *http.Request) {}\n"
    )
    # Many keep what is in their home in git; this one cannot even be read.
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("nothing")
    made = await golang.make(
        golang.plan(folder, "http"),
        Making(
            name="f",
            folder=folder,
            origin=folder,
            cache_dir=tmp_path / "cache",
            environ={**os.environ, "GOFLAGS": "-buildvcs=true"},
            report=lambda text, share=None: None,
        ),
    )
    assert os.access(made, os.X_OK)
