"""A page that cannot keep up with the feed, or whose server goes: it says so."""

import re
import threading

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looking import Console, Watch
from tests.e2e.executable import Knlite, wait_until

BUSY = """() => {
    const over = () => {
        const asked = new XMLHttpRequest();
        asked.open("GET", "/api/v1/namespaces/talked", false);
        asked.send();
        return asked.status === 200;
    };
    while (!over());
}"""
"""Lets the page do nothing else before a namespace is there."""
CALLS = 2
"""Each makes 20,000 lines of a kilobyte, which is more than waits on all the way to the page."""


@pytest.fixture(scope="module")
def run(own_run: Knlite) -> Knlite:
    """It is stopped here."""
    return own_run


def test_a_page_that_is_too_slow_says_what_it_has_missed(
    page: Page, console: Console, watch: Watch
) -> None:
    page.goto(f"{console.address}#/logs")
    say = {"Host": "greeter.shop.localhost", "X-Say": "begun"}
    assert console.run.http.get("/", headers=say).status_code == 200
    expect(page.get_by_role("grid", name="Logs").get_by_text("begun")).to_be_visible()
    watch.expect("namespaces/talked|404|[Ss]ynchronous XMLHttpRequest")
    statuses: list[int] = []

    def talk() -> None:
        statuses.extend(console.run.get("greeter.shop", "/lines").status_code for _ in range(CALLS))
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "talked"}}
        console.run.admin.post("/api/v1/namespaces", json=namespace)

    thread = threading.Thread(target=talk)
    thread.start()
    page.evaluate(BUSY)
    thread.join()
    assert statuses == [200] * CALLS
    missed = page.get_by_text(re.compile(r"[\d,]+ lines came faster than this page could take"))
    told = page.get_by_role("button", name=re.compile("too slow for"))
    expect(missed.or_(told).first).to_be_visible()


def test_a_server_that_goes_and_comes_again_is_told(
    console: Console, page: Page, watch: Watch
) -> None:
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    watch.expect("ERR_CONNECTION_REFUSED|ERR_INCOMPLETE|ERR_CONNECTION_RESET|ERR_EMPTY")
    ports = console.run.port, console.run.admin_port
    console.run.stop()
    expect(page.get_by_role("alert")).to_contain_text("connection to knlite is lost")
    expect(page.get_by_role("button", name="Try now")).to_be_visible()
    again = Knlite("--runtime", "process", ports=ports)
    try:
        wait_until(again.answers, "the API")
        # The page comes back by itself, maybe sooner than anybody could press the button.
        live = page.get_by_role("status").filter(has_text="Live")
        expect(live).to_be_visible(timeout=60_000)
        expect(page.get_by_role("alert")).to_have_count(0)
    finally:
        again.stop()
