"""The Map: the article's example as a drawing and a list, what goes on in it, one event's path."""

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.looking import Console


def card(page: Page, name: str) -> Locator:
    """The card of an object: its name, kind and namespace, then what else is to be known."""
    return page.get_by_role("button", name=re.compile(f"^{re.escape(name)}\\b"))


def sent(console: Console, broker: str, event_type: str, event_id: str) -> int:
    """Post an event to a Broker; its arrival."""
    answer = console.run.admin.post(
        "/knlite/events",
        params={"broker": broker},
        headers={"content-type": "application/cloudevents+json"},
        json={
            "specversion": "1.0",
            "id": event_id,
            "source": "/tests",
            "type": event_type,
            "data": {},
        },
    )
    arrival: Any = answer.json()["arrival"]
    return int(arrival)


def test_the_articles_example_runs_from_web_to_process(page: Page) -> None:
    names = (
        "web Service · brokered",
        "senders-to-broker SinkBinding · brokered",
        "default Broker · brokered",
        "greetings Trigger · brokered",
        "process Service · brokered",
    )
    places = []
    for name in names:
        expect(card(page, name)).to_be_visible()
        box = card(page, name).bounding_box()
        assert box is not None
        places.append(box["x"])
    assert places == sorted(places)
    assert len(set(places)) == len(names)


def test_arrows_walk_along_the_ways_and_enter_selects(page: Page) -> None:
    card(page, "default Broker · brokered").focus()
    page.keyboard.press("ArrowRight")
    expect(card(page, "greetings Trigger · brokered")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(card(page, "process Service · brokered")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("at=Trigger%2Fbrokered%2Fgreetings"))
    panel = page.get_by_role("complementary", name="Trigger greetings")
    expect(panel.get_by_text("SubscriberResolved")).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)


def test_an_event_is_counted_where_it_went_and_lights_its_path(
    page: Page, console: Console
) -> None:
    expect(card(page, "default Broker · brokered")).to_be_visible()
    arrival = sent(console, "brokered/default", "com.example.greeting", "map-1")
    expect(card(page, "process Service · brokered")).to_have_accessible_name(
        re.compile(r"requests: \d+$")
    )
    page.goto(f"{console.address}#/map?event={arrival}")
    bar = page.get_by_role("status").filter(has_text="Path of event map-1")
    expect(bar).to_contain_text("delivered")
    bar.get_by_role("button", name="Leave the path").click()
    expect(bar).to_have_count(0)


def test_who_did_not_want_an_event_says_why(page: Page, console: Console) -> None:
    expect(card(page, "orders Broker · shop")).to_be_visible()
    arrival = sent(console, "shop/orders", "com.example.return", "map-2")
    page.goto(f"{console.address}#/map?event={arrival}")
    for why in ('type is "com.example.return", and "com.example.order" is wanted', "priority"):
        expect(page.locator("p", has_text="not wanted").filter(has_text=why)).to_be_visible()


def test_the_same_is_told_as_a_list(page: Page) -> None:
    page.get_by_role("button", name="List").click()
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="orders"))
    expect(row).to_contain_text("read by Trigger fragile")
    expect(row).to_contain_text("dead letters to Service morgue")
    row.get_by_role("button", name="Service morgue").click()
    expect(page.get_by_role("complementary", name="Service morgue")).to_be_visible()
    page.get_by_role("button", name="Drawing").click()
