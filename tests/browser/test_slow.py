"""A page that cannot keep up with the feed misses some of it, and says so."""

import re
import threading

from playwright.sync_api import Page, expect

from tests.browser.looking import Console

BUSY = """(seconds) => {
    const until = performance.now() + 1000 * seconds;
    while (performance.now() < until);
}"""
SECONDS = 6
CALLS = 50
"""Each makes a megabyte of log lines, which is more than the feed tells at once."""


def test_a_page_that_is_too_slow_says_what_it_has_missed(page: Page, console: Console) -> None:
    page.goto(f"{console.address}#/logs")
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    statuses: list[int] = []

    def talk() -> None:
        statuses.extend(console.run.get("greeter.shop", "/long").status_code for _ in range(CALLS))

    thread = threading.Thread(target=talk)
    thread.start()
    page.evaluate(BUSY, SECONDS)
    thread.join()
    missed = page.get_by_text(re.compile(r"[\d,]+ lines came faster than this page could take"))
    told = page.get_by_role("button", name=re.compile("too slow for"))
    expect(missed.or_(told).first).to_be_visible()
    assert statuses == [200] * CALLS
