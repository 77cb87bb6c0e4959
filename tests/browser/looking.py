"""The console as a person has it: a page in Chromium, of a knlite that really runs."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Request, Response, expect

from tests.e2e.executable import PATIENCE, ROOT, Knlite

ARTIFACTS = Path(os.environ.get("KNLITE_ARTIFACTS", ROOT / "build" / "browser"))
"""Where pictures of the pages go, and traces of the tests that failed."""
WIDE, NARROW = (1280, 800), (360, 740)
PAGES = ("map", "services", "requests", "events", "logs", "manifests")
LETTERS = {
    "map": "m",
    "services": "s",
    "requests": "r",
    "events": "e",
    "logs": "l",
    "manifests": "y",
}
"""The second key after ``g``."""
_WATCH = """
addEventListener("securitypolicyviolation", (event) =>
    console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""

expect.set_options(timeout=PATIENCE / 2 * 1000)


@dataclass
class Watch:
    """What went wrong in a page that nobody would see."""

    found: list[str] = field(default_factory=list)
    _expected: list[re.Pattern[str]] = field(default_factory=list)

    def expect(self, pattern: str) -> None:
        """What matches *pattern* is what the test is about."""
        self._expected.append(re.compile(pattern))

    @property
    def problems(self) -> list[str]:
        return [
            each for each in self.found if not any(known.search(each) for known in self._expected)
        ]

    def over(self, context: BrowserContext, page: Page) -> None:
        """See all that *page* reports from now on."""
        context.add_init_script(_WATCH)
        page.on(
            "console",
            lambda said: (
                self.found.append(f"console: {said.text}")
                if said.type in {"error", "warning"}
                else None
            ),
        )
        page.on("pageerror", lambda error: self.found.append(f"error: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)
        page.on("dialog", self._asked)

    def _failed(self, request: Request) -> None:
        # A page that goes ends what it has asked; so does who closes the feed.
        if "ERR_ABORTED" not in (request.failure or ""):
            self.found.append(f"request: {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.found.append(f"answer: {response.status} {response.url}")

    def _asked(self, dialog: Any) -> None:
        self.found.append(f"dialog: {dialog.message}")
        dialog.dismiss()


@dataclass
class Console:
    """A running knlite, and the browser that looks at it."""

    run: Knlite
    browser: Browser

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.run.admin_port}/"

    @contextmanager
    def looking(
        self,
        where: str = "#/map",
        *,
        size: tuple[int, int] = WIDE,
        theme: str = "light",
        language: str = "en-US",
        trace: Callable[[], Path | None] = lambda: None,
    ) -> Iterator[tuple[Page, Watch]]:
        """A page of its own; *trace* says in the end where to keep what happened, if anywhere."""
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if theme == "dark" else "light",
            locale=language,
            reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(PATIENCE / 2 * 1000)
        context.tracing.start(snapshots=True)
        watch = Watch()
        page = context.new_page()
        watch.over(context, page)
        try:
            page.goto(self.address + where)
            yield page, watch
        finally:
            kept = trace()
            if kept is not None:
                kept.mkdir(parents=True, exist_ok=True)
                page.screenshot(path=kept / "page.png")
                context.tracing.stop(path=kept / "trace.zip")
            context.close()


def picture(page: Page, name: str) -> None:
    """Keep what *page* looks like now."""
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{name}.png")
