"""The console in Debian's Chromium: one knlite for most tests, one page for each."""

import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.looking import ARTIFACTS, Console, Watch
from tests.e2e.executable import EXAMPLES, Knlite, running
from tests.required import missing, program

SYSTEM = Path(__file__).parent / "system"
STATIC = Path(__file__).parents[2] / "knlite" / "console" / "static"
_failed = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder have the mark ``browser``."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Whether a test has failed decides whether its trace is kept."""
    report = yield
    item.stash[_failed] = item.stash.get(_failed, False) or report.failed
    return report


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the tests of one file.

    It does not stay: while Playwright is there no other event loop runs in this thread.
    """
    executable = program("chromium")
    if not (STATIC / "index.html").exists():
        missing("console", "the console was not built: make console")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="session")
def shop() -> Iterator[Knlite]:
    """The article's example, and a shop with an event that nobody can take.

    The tests of all files share it, as a start costs more than most of them: what a test counts or
    looks for has a name of its own, and only Services of its own get other revisions.
    """
    with running(EXAMPLES / "article-broker", SYSTEM) as run:
        yield run.settled()


@pytest.fixture(scope="module")
def run(shop: Knlite) -> Knlite:
    """What the tests of a file look at; one that breaks things has another."""
    return shop


@pytest.fixture(scope="module")
def own_run() -> Iterator[Knlite]:
    """The same for one file alone."""
    with running(EXAMPLES / "article-broker", SYSTEM) as run:
        yield run.settled()


@pytest.fixture(scope="module")
def console(browser: Browser, run: Knlite) -> Console:
    """What is looked at, and with what."""
    return Console(run, browser)


@pytest.fixture
def looked(console: Console, request: pytest.FixtureRequest) -> Iterator[tuple[Page, Watch]]:
    """A page on the map, and who watches it: what goes wrong in it fails the test."""
    options: dict[str, Any] = getattr(request, "param", {})
    node = request.node
    name = re.sub(r"[^\w-]+", "-", node.name).strip("-")

    def trace() -> Path | None:
        return ARTIFACTS / name if node.stash.get(_failed, False) else None

    with console.looking(trace=trace, **options) as (page, watch):
        yield page, watch
        assert watch.problems == []


@pytest.fixture
def page(looked: tuple[Page, Watch]) -> Page:
    """A page on the map; an error in it, or one that its policy tells of, fails the test."""
    return looked[0]


@pytest.fixture
def watch(looked: tuple[Page, Watch]) -> Watch:
    """What the page of this test has reported."""
    return looked[1]
