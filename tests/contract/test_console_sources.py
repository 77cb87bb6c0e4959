"""The sources of the console: their own checks, and that what is shipped was built from them."""

import subprocess
from pathlib import Path

import pytest

from tests.required import missing, program

CONSOLE = Path(__file__).parents[2] / "console"


@pytest.fixture
def npm() -> str:
    """npm, with the packages that the console is built with."""
    program("node")
    found = program("npm")
    if not (CONSOLE / "node_modules" / "vite").is_dir():
        missing("console", "the packages of the console are not there: cd console && npm ci")
    return found


@pytest.mark.parametrize("script", ["check", "check:built"])
def test_sources_and_what_was_built_of_them_agree(npm: str, script: str) -> None:
    ran = subprocess.run([npm, "run", script], cwd=CONSOLE, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
