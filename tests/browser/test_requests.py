"""Requests and logs: what a person sees of one, from the list to its lines and back."""

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.looking import NARROW, Console, picture
from tests.e2e.executable import wait_until

SAID = "\\n".join(
    (
        "\\x1b[31mred\\x1b[0m <script>window.hostile = true</script>",
        "ERROR: cannot place the order",
        "Traceback (most recent call last):",
        '  File "shop.py", line 7, in place',
        "    stock[sku]",
        "KeyError: 'sku-77'",
    )
)
"""What the greeter is asked to print, escaped as its header takes it."""


@pytest.fixture(scope="module", autouse=True)
def asked(console: Console) -> None:
    """Requests of a service that sends an event, and of one that prints what it is told."""
    assert console.run.get("web.brokered", "/?seen=by-me").status_code == 200
    say(console, SAID, "/<img src=x onerror=alert(1)>")
    wait_until(lambda: console.run.logged("greeter", "KeyError"), "what it prints")
    wait_until(lambda: console.run.logged("process", "received"), "the event")


def say(console: Console, text: str, path: str = "/") -> None:
    headers = {"Host": "greeter.shop.localhost", "X-Say": text}
    assert console.run.http.get(path, headers=headers).status_code == 200


def go(page: Page, where: str) -> None:
    page.goto(re.sub("#.*", where, page.url))


def test_a_request_tells_where_its_time_went(page: Page) -> None:
    go(page, "#/requests")
    row = page.get_by_role("row").filter(has_text="/?seen=by-me").first
    expect(row).to_contain_text("brokered/web")
    row.click()
    story = page.get_by_role("complementary", name=re.compile("seen=by-me"))
    waterfall = story.get_by_role("table", name="Waterfall")
    expect(waterfall.get_by_role("row", name=re.compile("^App"))).to_be_visible()
    expect(waterfall.get_by_role("row", name=re.compile("^Total"))).to_be_visible()
    picture(page, "request")
    page.keyboard.press("Escape")
    expect(story).to_have_count(0)


def test_a_request_leads_to_its_event_and_to_its_lines_and_a_line_back(page: Page) -> None:
    go(page, "#/requests?service=brokered%2Fprocess")
    page.get_by_role("row").filter(has_text="brokered/process").first.click()
    story = page.get_by_role("complementary")
    expect(story.get_by_role("link", name="com.example.greeting")).to_have_attribute(
        "href", re.compile("#/events.*id=")
    )
    expect(story.get_by_text("received com.example.greeting")).to_be_visible()
    story.get_by_role("link", name="All in Logs").click()
    line = page.get_by_role("row").filter(has_text="received com.example.greeting").first
    line.get_by_role("link", name="To the request that wrote this line").click()
    expect(page.get_by_role("complementary").get_by_role("table", name="Waterfall")).to_be_visible()


def test_requests_come_in_while_one_looks_and_wait_while_one_reads(
    console: Console, page: Page
) -> None:
    go(page, "#/requests?service=shop%2Fgreeter")
    rows = page.get_by_role("row").filter(has_text="shop/greeter")
    expect(rows.first).to_be_visible()
    console.run.get("greeter.shop", "/comes")
    expect(rows.first).to_contain_text("/comes")
    page.get_by_role("button", name="Pause").click()
    console.run.get("greeter.shop", "/waits")
    new = page.get_by_role("button", name="1 new")
    expect(new).to_be_visible()
    expect(rows.first).to_contain_text("/comes")
    new.click()
    expect(rows.first).to_contain_text("/waits")


def test_latency_tells_of_every_service(page: Page) -> None:
    go(page, "#/requests?view=latency")
    table = page.get_by_role("region", name="Warm requests")
    expect(table.get_by_role("row").filter(has_text="shop/greeter")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("warm requests of"))).to_be_visible()


def test_a_traceback_is_folded_and_hostile_lines_are_text(page: Page) -> None:
    go(page, "#/logs?service=shop%2Fgreeter")
    log = page.get_by_role("grid", name="Logs")
    expect(log.get_by_text("<script>window.hostile = true</script>")).to_be_visible()
    assert page.evaluate("window.hostile") is None
    failed = log.get_by_role("row").filter(has_text="ERROR: cannot place the order")
    expect(failed).to_contain_text("KeyError: 'sku-77'")
    expect(log.get_by_text("stock[sku]")).to_have_count(0)
    failed.get_by_role("button", name="+4 lines").click()
    expect(log.get_by_text("stock[sku]")).to_be_visible()
    picture(page, "logs")
    page.get_by_role("combobox", name="Level").select_option("Errors only")
    expect(log.get_by_text("hostile")).to_have_count(0)
    page.get_by_role("searchbox", name="Search the lines").fill("nothing says this")
    expect(page.get_by_text("No line matches")).to_be_visible()
    page.get_by_role("button", name="Clear filters").click()
    expect(log.get_by_text("ERROR: cannot place the order")).to_be_visible()


@pytest.mark.parametrize("looked", [{"size": NARROW}], indirect=True)
def test_lines_are_followed_on_a_telephone(console: Console, page: Page) -> None:
    go(page, "#/logs?service=shop%2Fgreeter")
    log = page.get_by_role("grid", name="Logs")
    expect(log.get_by_role("row").nth(1)).to_be_visible()
    say(console, "just now")
    expect(log.get_by_text("just now")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_server_answers_what_it_cannot_with_a_sentence(console: Console) -> None:
    def message(path: str) -> str:
        return str(httpx.get(f"{console.address}knlite/{path}").json()["message"])

    assert 'no request "none/such" is kept' in message("requests/none%2Fsuch")
    assert "give a number (404), a class (5xx) or failed" in message("requests?status=teapot")
    assert "give one of error, warning" in message("logs?level=loud")
    assert "not an RFC 3339 time" in message("logs?since=yesterday")
