"""What tests need of the machine: they are skipped where it is not there, unless it is required."""

import os
import shutil
from typing import NoReturn

import pytest


def program(name: str) -> str:
    """Where the program *name* is; the test is not run without it."""
    found = shutil.which(name)
    if found is None:
        missing(name, f"there is no {name} on the PATH")
    return found


def missing(what: str, why: str) -> NoReturn:
    """Skips the test with the reason; fails it where ``KNLITE_REQUIRE`` names *what*."""
    if what in os.environ.get("KNLITE_REQUIRE", "").split(","):
        pytest.fail(f"KNLITE_REQUIRE names {what}, but {why}")
    pytest.skip(why)
