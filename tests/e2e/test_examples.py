"""The examples of Eventing and of functions: each command of their READMEs prints what they say."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.executable import COMPILING, EXAMPLES, Knlite, wait_until
from tests.required import program

pytestmark = pytest.mark.e2e

Up = Callable[..., Knlite]

EVENTING = ("fan-out", "dead-letter", "sequence", "parallel", "ping-source", "cesql")
FUNCTIONS = ("function-events", "functions/python", "functions/node", "functions/go")
TOOLS = {"functions/node": ("node", "npm"), "functions/go": ("go",)}
PATIENCE = 30.0
_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
_MINUTELY, _OFTEN = '"* * * * *"', '"*/2 * * * * *"'


@pytest.mark.parametrize("example", [*EVENTING, *FUNCTIONS])
def test_an_example_does_what_its_readme_says(up: Up, tmp_path: Path, example: str) -> None:
    for tool in TOOLS.get(example, ()):
        program(tool)
    folder = tmp_path / example
    shutil.copytree(EXAMPLES / example, folder)
    for manifest in folder.glob("*.yaml"):
        # Nobody waits a minute for a test.
        manifest.write_text(manifest.read_text().replace(_MINUTELY, _OFTEN))
    steps = list(commands((folder / "README.md").read_text()))
    assert steps[0] == (f"knlite up examples/{example}/", [])
    run = up(folder, "--runtime", "process").settled(COMPILING)
    for command, expected in steps[1:]:
        wait_until(lambda: prints(run, command, expected), f"{command}\n{expected}", PATIENCE)  # noqa: B023


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each command of the console blocks, with the lines that it is to print."""
    for block in _BLOCK.findall(text):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.splitlines()
            ends = 1
            while lines[ends - 1].endswith(("\\", "do")) or lines[ends - 1].startswith("    "):
                ends += 1
            yield "\n".join(lines[:ends]), [line for line in lines[ends:] if line.strip()]


def prints(run: Knlite, command: str, expected: list[str]) -> bool:
    """Whether *command* prints all lines that are *expected*."""
    done = subprocess.run(
        ["bash", "-ec", command.replace(":8080/", f":{run.port}/")],
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "KNLITE_ADMIN_PORT": str(run.admin_port),
        },
    )
    printed = [line.rstrip() for line in done.stdout.splitlines()]
    return all(line in printed for line in expected)
