"""Modules and decisions that the code refers to in its prose are there, also after a move."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "knlite").rglob("*.py"))
OF_USERS = {"func.py"}
"""Files that a person brings along."""
_MODULE = re.compile(r"``([\w/]+\.py)``")
_DECISION = re.compile(r"docs/adr/(\d{4})")


def test_every_module_that_is_named_exists() -> None:
    known = [f"/{path.relative_to(ROOT)}" for path in (*SOURCES, *(ROOT / "tests").rglob("*.py"))]
    dangling = [
        f"{source.relative_to(ROOT)}: {name}"
        for source in SOURCES
        for name in _MODULE.findall(source.read_text("utf-8"))
        if name not in OF_USERS and not any(path.endswith(f"/{name}") for path in known)
    ]
    assert dangling == []


def test_every_decision_that_is_named_exists() -> None:
    known = {path.name[:4] for path in (ROOT / "docs" / "adr").glob("*.md")}
    named = {
        number for source in SOURCES for number in _DECISION.findall(source.read_text("utf-8"))
    }
    assert named <= known
