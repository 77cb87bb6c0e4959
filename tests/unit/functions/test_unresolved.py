"""Sentences about requirements that cannot be installed."""

from pathlib import Path

import pytest

from knlite.functions.unresolved import offline, place, reason

UNKNOWN = """error: No solution found when resolving dependencies
  cause: Because numpyx was not found in the package registry and you require numpyx==9, we can \
conclude that your requirements are unsatisfiable.
"""
DISABLED = """error: No solution found when resolving dependencies
  cause: Because numpyx was not found in the cache and you require numpyx, we can conclude that \
your requirements are unsatisfiable.

hint: Packages were unavailable because the network was disabled. When the network is disabled, \
registry packages may only be read from the cache.
"""
BOXED = """  × No solution found when resolving dependencies:
  ╰─▶ Because numpyx was not found in the package registry and you require
      numpyx, we can conclude that your requirements are unsatisfiable.
"""
BUILD = """error: Failed to build `pyyaml==5.4.1`
  cause: The build backend returned an error
  cause: Call to `x.get_requires_for_build_wheel` failed (exit status: 1)

         [stdout]
         running egg_info

         [stderr]
         Traceback (most recent call last):
           File "<string>", line 14, in <module>
         AttributeError: 'build_ext' object has no attribute 'cython_sources'

hint: Build failures usually indicate a problem with the package
"""


@pytest.mark.parametrize("printed", [UNKNOWN, BOXED])
def test_what_is_not_there_is_named(printed: str) -> None:
    why = reason(printed)
    assert why.startswith("No solution found when resolving dependencies")
    assert "numpyx was not found" in why


def test_a_build_that_failed_says_its_error() -> None:
    assert reason(BUILD).startswith("Failed to build `pyyaml==5.4.1`; ")
    assert reason(BUILD).endswith("has no attribute 'cython_sources'")


def test_the_line_that_asks_for_it_is_found(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("requests\n# numpyx\nNumPyX == 9\n")
    assert place(tmp_path, reason(UNKNOWN)) == f"{tmp_path}/requirements.txt line 3"
    (tmp_path / "requirements.txt").write_text("requests\n")
    toml = '[project]\ndependencies = [\n  "numpyx",\n]\n'
    (tmp_path / "pyproject.toml").write_text(toml)
    assert place(tmp_path, reason(UNKNOWN)) == f"{tmp_path}/pyproject.toml line 3"
    assert place(tmp_path, "something else") == f"{tmp_path}/requirements.txt"


def test_without_a_network_one_is_asked_for() -> None:
    assert offline("error: Failed to fetch\n  cause: dns error: failed to lookup address")
    assert offline(DISABLED)
    assert not offline(UNKNOWN)
