"""What is installed brings the console along: no npm is needed, and no checkout."""

import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from knlite.console.page import STATIC
from tests.required import missing

ROOT = Path(__file__).parents[2]
ASK = """
import anyio, re
from starlette.testclient import TestClient
from starlette.applications import Starlette
from knlite.console import page
client = TestClient(Starlette(routes=page.Page("t0ken").routes()))
text = client.get("/", headers={"Accept": "text/html"}).raise_for_status().text
for name in re.findall(r'(?:src|href)="(/console/assets/[^"]+)"', text):
    client.get(name).raise_for_status()
print(page.__file__)
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel and an archive of sources."""
    if not (STATIC / "index.html").is_file():
        missing("console", "the console is not built: make console")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


def test_both_archives_have_every_file_of_the_page(built: Path) -> None:
    files = [path for path in STATIC.rglob("*") if path.is_file()]
    names = {str(path.relative_to(ROOT)) for path in files}
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        assert names <= set(wheel.namelist())
        assert not _beginning(wheel.namelist(), "console/")
    with tarfile.open(next(built.glob("*.tar.gz"))) as sources:
        there = {name.partition("/")[2] for name in sources.getnames()}
    assert names <= there
    assert "console/src/main.tsx" in there
    assert not _beginning(there, "console/node_modules")


def test_the_page_is_served_from_a_wheel(built: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        wheel.extractall(tmp_path)
    command = [sys.executable, "-c", ASK]
    ran = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip().startswith(str(tmp_path))


def _beginning(names: Iterable[str], prefix: str) -> list[str]:
    return [name for name in names if name.startswith(prefix)]
