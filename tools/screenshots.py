"""Make the pictures of the console that README.md shows: a run of the article's example, really
looked at. Needs Chromium and the console built (make console).

    python -m tools.screenshots [FOLDER]
"""

import argparse
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.browser.sending import ended, send
from tests.e2e.executable import EXAMPLES, ROOT, Knlite, running, wait_until

WIDTH, HEIGHT, TALL = 1280, 720, 1000
SYSTEM = (EXAMPLES / "article-broker", EXAMPLES / "dead-letter")
ORDERS = "dead-letter/orders"
BETWEEN = 0.15
"""Seconds between two requests to the example while it is looked at."""


def main() -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(prog="python -m tools.screenshots", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "images")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or sys.exit("chromium is not installed")
    with running(*SYSTEM) as knlite, sync_playwright() as playwright:
        knlite.settled()
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            the_map(knlite, browser, folder / "console-map.png")
            a_cold_start(knlite, browser, folder / "console-cold-start.png")
            an_event(knlite, browser, folder / "console-event.png")
        finally:
            browser.close()


@contextmanager
def opened(knlite: Knlite, browser: Browser, where: str, height: int = HEIGHT) -> Iterator[Page]:
    """A page of the console."""
    size: ViewportSize = {"width": WIDTH, "height": height}
    page = browser.new_page(viewport=size, color_scheme="light", locale="en-US")
    try:
        page.goto(f"http://127.0.0.1:{knlite.admin_port}/#/{where}")
        page.get_by_role("status").filter(has_text="Live").wait_for()
        yield page
    finally:
        page.close()


@contextmanager
def busy(knlite: Knlite) -> Iterator[None]:
    """The article's example at work, and orders of which some cannot be read."""
    over = threading.Event()

    def work() -> None:
        number = 0
        while not over.wait(BETWEEN):
            number += 1
            knlite.get("web.brokered")
            order = b"seven" if number % 8 == 0 else b'{"amount": 7}'
            send(knlite, ORDERS, order, id=f"order-{number}", type="com.example.order")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def the_map(knlite: Knlite, browser: Browser, path: Path) -> None:
    """The map while events run along it."""
    with busy(knlite), opened(knlite, browser, "map") as page:
        page.get_by_role("button", name="process Service").wait_for()
        # Counts and rates need something to count.
        page.wait_for_timeout(3000)
        page.screenshot(path=path)


def a_cold_start(knlite: Knlite, browser: Browser, path: Path) -> None:
    """Where the time of a request went that had to wait for an instance."""
    at_rest = knlite.admin.post("/knlite/services/brokered/web/rest")
    assert at_rest.is_success, at_rest.text
    wait_until(lambda: knlite.at_zero("brokered", "web"), "web at zero")
    assert knlite.get("web.brokered").status_code == 200
    cold = wait_until(
        lambda: knlite.admin.get(
            "/knlite/requests", params={"service": "brokered/web", "cold": "true"}
        ).json()["requests"],
        "the request",
    )
    with opened(knlite, browser, f"requests/{cold[0]['id']}") as page:
        page.get_by_role("heading", name="GET /").wait_for()
        page.wait_for_load_state("domcontentloaded")
        page.wait_for_timeout(1000)
        page.screenshot(path=path)


def an_event(knlite: Knlite, browser: Browser, path: Path) -> None:
    """What became of an event that its subscriber could not take."""
    order = b'{"order": 4711, "items": ["lamp"]}'
    send(knlite, ORDERS, order, id="4711", type="com.example.order", subject="4711")
    wait_until(lambda: ended(knlite, "4711", "dead-lettered"), "the dead letter")
    arrival = knlite.admin.get("/knlite/events", params={"id": "4711"}).json()["events"][0]
    with opened(knlite, browser, f"events/{arrival['arrival']}", TALL) as page:
        page.get_by_role("article", name="Trigger dead-letter/fragile").wait_for()
        page.wait_for_timeout(1000)
        page.screenshot(path=path)


if __name__ == "__main__":
    main()
