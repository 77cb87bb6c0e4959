"""``docs/conformance.md`` names tests that there are, and all that were written for it."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "conformance.md"
_NAMED = re.compile(r"`(?:(tests/[\w/]+\.py)::test_|(\w+)::)(\w+)`")
_TEST = re.compile(r"^(?:async )?def test_(\w+)\(", re.MULTILINE)


def test_the_page_names_every_test_of_eventing_and_no_others() -> None:
    named: dict[Path, set[str]] = {}
    for path, short, test in _NAMED.findall(PAGE.read_text("utf-8")):
        file = ROOT / (path or f"tests/e2e/test_eventing_{short}.py")
        named.setdefault(file, set()).add(test)
    there = {file: set(_TEST.findall(file.read_text("utf-8"))) for file in named}
    assert {file: tests - there[file] for file, tests in named.items() if tests - there[file]} == {}
    for file in (ROOT / "tests" / "e2e").glob("test_eventing_*.py"):
        assert there[file] - named[file] == set(), file


def test_the_page_has_counted_right() -> None:
    text = PAGE.read_text("utf-8")
    counted = re.search(r"Of (\d+) features (\d+) pass, one differs on purpose, (\d+) need", text)
    assert counted is not None
    rows = re.findall(r"^\| [^|]+ \| (\d+) \|[^|]*\| ([^|]+) \|$", text, re.MULTILINE)
    passed = sum(int(n) for n, result in rows if result.startswith("pass"))
    of_tls = sum(int(n) for n, result in rows if result.startswith("see [TLS]"))
    assert [int(each) for each in counted.groups()] == [
        sum(int(n) for n, _ in rows),
        passed,
        of_tls,
    ]
