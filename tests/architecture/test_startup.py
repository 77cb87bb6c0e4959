"""A verb of the command line is there at once: what it does not need it does not load."""

import subprocess
import sys

import pytest

HEAVY = {
    "anyio",
    "asyncio",
    "docker",
    "httpx",
    "pydantic",
    "starlette",
    "textual",
    "uvicorn",
    "watchfiles",
}
CHECK = """
import sys
from knlite.cli.main import app
app(sys.argv[1:], standalone_mode=False)
print(*sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize("verb", [["--help"], ["func", "version"], ["func", "languages"]])
def test_a_verb_loads_no_heavy_library(verb: list[str]) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", CHECK, *verb], check=True, capture_output=True, text=True
    )
    assert HEAVY & set(ran.stderr.split()) == set()
