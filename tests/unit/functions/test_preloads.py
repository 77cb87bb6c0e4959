"""Which modules are loaded ahead of a function."""

from pathlib import Path

import pytest

from knlite.functions.preloads import FIRST_REQUEST, preloads
from knlite.functions.python import RUNNERS, PythonPlan


def found(folder: Path, style: str = "func", requirements: tuple[str, ...] = ()) -> list[str]:
    plan = PythonPlan(
        style="parliament" if style == "parliament" else "func",
        requirements=requirements,
        runner=RUNNERS / "x.py",
        arguments=(),
    )
    names = preloads(folder, plan)
    return [name for name in names if name not in FIRST_REQUEST]


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import a, b.c as d", ["a", "b.c"]),
        ("from a.b import c, d", ["a.b", "a.b.c", "a.b.d"]),
        ("from a import *", ["a"]),
        ("from os import path", ["os"]),
        ("try:\n import a\nexcept ImportError:\n import b\nelse:\n import c", ["a", "b", "c"]),
        ("if True:\n import a\nelse:\n import b", ["a", "b"]),
        ("with x():\n import a", ["a"]),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n import a", ["typing"]),
        ("import typing\nif typing.TYPE_CHECKING:\n import a\nelse:\n import b", ["typing", "b"]),
        ("def main(context):\n import a", []),
        ("class A:\n def f(self):\n  import a", []),
        ("from ... import a", []),
        ("import (", []),
    ],
)
def test_what_importing_the_function_imports(tmp_path: Path, source: str, names: list[str]) -> None:
    write(tmp_path, {"func.py": source})
    assert found(tmp_path) == names


def test_its_own_modules_are_followed_and_not_named(tmp_path: Path) -> None:
    relative = "from .func import new\nfrom . import helper\nfrom function.more import x"
    write(
        tmp_path,
        {
            "function/__init__.py": relative,
            "function/func.py": "import a\nimport top",
            "function/helper.py": "from .func import new\nimport b",
            "function/more.py": "import c",
            "function/unused.py": "import d",
            "top.py": "import e",
            "train.py": "import f",
        },
    )
    assert found(tmp_path) == ["a", "e", "b", "c"]


def test_parliament_is_not_loaded_since_the_runner_stands_in_for_it(tmp_path: Path) -> None:
    write(tmp_path, {"func.py": "import parliament\nfrom parliament import Context\nimport a"})
    assert found(tmp_path, "parliament") == ["a"]
    assert found(tmp_path, "parliament", ("a",)) == ["a", "cloudevents.http"]
