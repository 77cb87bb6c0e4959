"""The tests of functions that have just been created are green."""

import subprocess
import sys
from pathlib import Path

import pytest
from uv import find_uv_bin

from knlite.functions.creation import create
from knlite.functions.templaterepository import built_in
from tests.e2e.executable import COMPILING
from tests.required import program

pytestmark = pytest.mark.e2e


def created(folder: Path, language: str, template: str) -> Path:
    found = built_in().find(language, template)
    assert found is not None
    create(folder, found, created="2026-01-02T03:04:05Z")
    return folder


def run(folder: Path, *command: str) -> None:
    """Run a tool in *folder*, and fail with all that it said."""
    done = subprocess.run(
        [program(command[0]), *command[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=COMPILING,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("language", "template", "tests"),
    [
        ("python", "http", "tests/test_func.py"),
        ("python", "parliament-http", "test_func.py"),
        ("docker", "http", "test_server.py"),
    ],
)
def test_python_tests_are_green_with_nothing_installed(
    tmp_path: Path, language: str, template: str, tests: str
) -> None:
    folder = created(tmp_path / "hello", language, template)
    run(folder, sys.executable, "-I", "-c", _ISOLATED, tests)


_ISOLATED = """
import sys, unittest
sys.path = [entry for entry in sys.path if "site-packages" not in entry]
sys.path.insert(0, "")
unittest.main(None, argv=["unittest", sys.argv[1]])
"""
"""Python's own library alone, and the function's folder."""


@pytest.mark.parametrize(
    ("template", "requirements"),
    [("cloudevents", [".[test]"]), ("parliament-cloudevents", ["-r", "requirements.txt"])],
)
def test_python_tests_for_events_are_green_with_what_the_function_needs(
    tmp_path: Path, template: str, requirements: list[str]
) -> None:
    folder = created(tmp_path / "hello", "python", template)
    uv, python = find_uv_bin(), str(folder / ".venv" / "bin" / "python")
    run(folder, uv, "venv", "-q", "--python", sys.executable, ".venv")
    constraints = ["-c", "constraints.txt"] if (folder / "constraints.txt").exists() else []
    run(folder, uv, "pip", "install", "-q", "--python", python, *requirements, *constraints)
    tests = next(folder.glob("**/test_func.py")).relative_to(folder)
    run(folder, python, "-m", "unittest", str(tests))


@pytest.mark.parametrize("template", ["http", "cloudevents"])
def test_node_tests_are_green(tmp_path: Path, template: str) -> None:
    folder = created(tmp_path / "hello", "node", template)
    if template == "cloudevents":
        # Of what package.json lists, this is what the test needs.
        (tmp_path / "needed").mkdir()
        run(tmp_path / "needed", "npm", "install", "--no-audit", "--no-fund", "cloudevents@8")
        (tmp_path / "needed" / "node_modules").rename(folder / "node_modules")
    run(folder, "node", "--test")


@pytest.mark.parametrize("template", ["http", "cloudevents"])
def test_go_tests_are_green(tmp_path: Path, template: str) -> None:
    folder = created(tmp_path / "hello", "go", template)
    # As knlite compiles it, so that Go compiles its own library once.
    run(folder, "go", "vet", "-trimpath", ".")
    run(folder, "go", "test", "-trimpath", ".")
