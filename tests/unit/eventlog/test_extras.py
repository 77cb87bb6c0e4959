"""The command that brings an extra to the Python that knlite runs in."""

import sys
from pathlib import Path

import pytest

from knlite.eventlog.extras import installing

OWN = Path(sys.executable).parent / "pip"
THEIRS = "/nowhere/bin/pip"


def test_the_pip_on_the_path_does_where_it_is_of_the_same_environment() -> None:
    assert installing("kafka", which=lambda _: str(OWN)) == 'pip install "knlite[kafka]"'


@pytest.mark.parametrize("found", [None, THEIRS])
def test_another_pip_would_install_it_for_another_python(found: str | None) -> None:
    command = installing("kafka", which=lambda _: found)
    assert command.startswith(f"{sys.executable} -m ")
    assert 'pip install "knlite[kafka]"' in command
