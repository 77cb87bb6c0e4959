"""Events: found, looked at, sent again as they are or changed."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looking import Console


@pytest.fixture(scope="module", autouse=True)
def events(console: Console) -> None:
    """Some that nobody wants, as those are quick."""
    for number in range(3):
        sent(console, id=f"e-{number}", type="com.example.note", subject=f"customer-{number}")


def sent(console: Console, data: Any = None, **attributes: str) -> int:
    """An event to the broker of the shop; its arrival."""
    event = {"specversion": "1.0", "source": "/tests", "data": data or {}, **attributes}
    answer = console.run.admin.post(
        "/knlite/events?broker=shop/orders",
        json=event,
        headers={"Content-Type": "application/cloudevents+json"},
    )
    assert answer.status_code == 202, answer.text
    return int(answer.json()["arrival"])


def test_events_come_in_and_are_searched(page: Page, console: Console) -> None:
    page.goto(console.address + "#/events")
    rows = page.get_by_role("grid", name="Events, the newest first").get_by_role("row")
    expect(rows.filter(has_text="e-1")).to_have_count(1)
    sent(console, {"word": "needle"}, id="just-now", type="com.example.other")
    expect(rows.filter(has_text="just-now")).to_contain_text("unmatched")
    search = page.get_by_role("searchbox")
    for typed, found in (
        ("needle", "just-now"),
        ("type:com.example.note subject:customer-2", "e-2"),
        ("state:unmatched customer-0", "e-0"),
        ("id:e-1", "e-1"),
    ):
        search.fill(typed)
        expect(rows).to_have_count(2)
        expect(rows.nth(1)).to_contain_text(found)
    search.fill("nowhere")
    expect(page.get_by_text("No event matches")).to_be_visible()
    page.get_by_role("button", name="Clear filters").last.click()
    expect(rows.filter(has_text="e-1")).to_have_count(1)


def test_a_list_that_is_paused_counts_what_comes(page: Page, console: Console) -> None:
    # By words only the server can tell whether a new one matches.
    page.goto(console.address + "#/events?q=com.example.paused")
    expect(page.get_by_text("No event matches")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    sent(console, id="paused", type="com.example.paused")
    expect(page.get_by_text("1 new")).to_be_visible()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("row").filter(has_text="paused")).to_have_count(1)


def test_keys_go_from_event_to_event_and_open_one_in_the_form(page: Page, console: Console) -> None:
    page.goto(console.address + "#/events?q=type:com.example.note")
    expect(page.get_by_role("row").filter(has_text="e-0")).to_be_visible()
    page.keyboard.press("j")
    story = page.get_by_role("complementary")
    expect(story).to_contain_text("e-2")
    page.keyboard.press("j")
    expect(story).to_contain_text("e-1")
    expect(story.get_by_role("article", name="Trigger shop/fragile")).to_contain_text(
        "type: com.example.order ✗"
    )
    page.keyboard.press("e")
    expect(page.get_by_role("heading", name="Send an event")).to_be_visible()
    expect(page.get_by_role("textbox", name=re.compile("^subject"))).to_have_value("customer-1")
    page.get_by_role("textbox", name=re.compile("^subject")).fill("somebody else")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("region", name="Sent. Its story:")).to_contain_text("unmatched")


def test_what_an_event_must_have_is_said_in_the_form(page: Page, console: Console) -> None:
    page.goto(console.address + "#/send")
    page.get_by_role("button", name="New form").click()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("textbox", name=re.compile("^type"))).to_have_attribute(
        "aria-invalid", "true"
    )
    page.get_by_role("textbox", name=re.compile("^source")).fill("not a uri")
    expect(page.get_by_text("is no URI")).to_be_visible()


def test_an_event_is_sent_again_to_all_or_to_one(page: Page, console: Console) -> None:
    arrival = sent(console, id="again", type="com.example.note")
    page.goto(f"{console.address}#/events/{arrival}")
    story = page.get_by_role("complementary")
    story.get_by_role("button", name="Resend", exact=True).click()
    expect(story).to_contain_text("It repeats")
    story.get_by_role("link", name=str(arrival)).click()
    expect(story).to_contain_text("Repeated as")
    urgent = story.get_by_role("article", name="Trigger shop/urgent")
    urgent.get_by_role("button", name="Send again to this one").click()
    expect(urgent).to_contain_text("it was sent again for this one, whatever its filter says")
    expect(urgent).to_contain_text("delivered")


def test_commands_for_a_terminal_are_copied(page: Page, console: Console) -> None:
    arrival = sent(console, {"a": "it's"}, id="copied", type="com.example.note")
    page.goto(f"{console.address}#/events/{arrival}")
    page.get_by_text("More …").click()
    page.get_by_role("button", name="Copy as knlite send").click()
    expect(page.get_by_text("Copied").first).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("knlite send --id copied --source /tests --type com.example.note")
    assert r"""--data '{"a":"it'\''s"}'""" in copied
