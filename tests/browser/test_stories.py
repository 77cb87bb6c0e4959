"""What people come for: an event sent and followed, why nobody wanted one, a dead letter sent
again, traffic moved."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.looking import Console, picture
from tests.browser.sending import ended, send
from tests.e2e.executable import wait_until

MOVER = "/apis/serving.knative.dev/v1/namespaces/shop/services/mover"


def at(page: Page, console: Console, where: str) -> None:
    page.goto(console.address + where)


def test_an_event_from_the_form_lights_its_path(page: Page, console: Console) -> None:
    at(page, console, "#/send")
    page.get_by_label("To", exact=True).select_option(label="Broker brokered/default")
    page.get_by_role("textbox", name=re.compile("^type")).fill("com.example.other")
    page.get_by_role("textbox", name=re.compile("^source")).fill("/tests")
    foretold = page.get_by_role("region", name="Who would get it")
    expect(foretold).to_contain_text("0 of 1 would get it")
    expect(foretold).to_contain_text('type is "com.example.other"')
    page.get_by_role("textbox", name=re.compile("^type")).fill("com.example.greeting")
    expect(foretold).to_contain_text("1 of 1 would get it")
    page.get_by_role("button", name="Send", exact=True).click()
    story = page.get_by_role("region", name="Sent. Its story:")
    expect(story.get_by_role("article", name="Trigger brokered/greetings")).to_contain_text(
        "delivered"
    )
    story.get_by_role("link", name="Show its path on the map").click()
    expect(page).to_have_url(re.compile("#/map.*event="))
    path = page.get_by_role("status").filter(has_text="Path of event")
    expect(path).to_contain_text("delivered")
    picture(page, "path")


def test_an_event_that_nobody_wanted_says_why_for_each_trigger(
    page: Page, console: Console
) -> None:
    send(console.run, "shop/orders", id="unwanted", type="com.example.return", priority="low")
    at(page, console, "#/events")
    page.get_by_role("row").filter(has_text="unwanted").click()
    by_type = page.get_by_role("article", name="Trigger shop/fragile")
    expect(by_type).to_contain_text("not wanted")
    expect(by_type).to_contain_text(
        'type is "com.example.return", and "com.example.order" is wanted'
    )
    by_sql = page.get_by_role("article", name="Trigger shop/urgent")
    expect(by_sql).to_contain_text("not wanted")
    expect(by_sql).to_contain_text("priority")
    picture(page, "unwanted")


def test_a_dead_letter_is_sent_again_and_taken(page: Page, console: Console) -> None:
    send(console.run, "shop/orders", b'{"amount": 7}', id="dead", type="com.example.order")
    wait_until(lambda: ended(console.run, "dead", "dead-lettered"), "the dead letter")
    at(page, console, "#/events?tab=dead-letters")
    row = page.get_by_role("row").filter(has_text="com.example.order").first  # The newest.
    expect(row).to_contain_text("500")
    assert console.run.get("fragile.shop", "/mend").status_code == 200
    row.get_by_role("button", name="Redrive").click()
    expect(row).to_contain_text("sent again: delivered")
    row.click()
    expect(page.get_by_role("article", name="Trigger shop/fragile")).to_contain_text(
        "dead-lettered"
    )
    expect(page.get_by_role("button", name="Redrive", exact=True).first).to_be_visible()
    picture(page, "dead-letter")


def split(console: Console) -> dict[str, int]:
    """Who gets how many percent, as the Service's status says."""
    traffic = console.run.object(MOVER)["status"]["traffic"]
    return {each["revisionName"]: each["percent"] for each in traffic if each.get("percent")}


def asked(console: Console, number: int) -> set[str]:
    """Which revisions answer so many requests."""
    return {console.run.get("mover.shop").text for _ in range(number)}


def test_traffic_is_moved_by_keys_and_by_mouse_and_requests_follow(
    page: Page, console: Console
) -> None:
    first, second = "mover-00001", "mover-00002"
    change = {
        "spec": {
            "template": {"metadata": {"annotations": {"note": "second"}}},
            "traffic": [
                {"revisionName": first, "percent": 100},
                {"latestRevision": True, "percent": 0},
            ],
        }
    }
    answer = console.run.admin.patch(
        MOVER, json=change, headers={"Content-Type": "application/merge-patch+json"}
    )
    assert answer.status_code == 200, answer.text
    wait_until(
        lambda: console.run.object(MOVER)["status"].get("latestReadyRevisionName") == second,
        "the second revision",
    )
    at(page, console, "#/services/shop/mover")
    handle = page.get_by_role("slider", name=f"Traffic between {first} and {second}")
    apply = page.get_by_role("button", name="Apply")

    handle.press("Home")
    apply.click()
    wait_until(lambda: split(console) == {second: 100}, "all for the second")
    assert asked(console, 5) == {second}

    expect(apply).to_have_count(0)
    drag_to_the_middle(page, handle)
    expect(handle).to_have_attribute("aria-valuenow", "50")
    apply.click()
    wait_until(lambda: split(console) == {first: 50, second: 50}, "half for each")
    assert asked(console, 40) == {first, second}
    picture(page, "traffic")


def drag_to_the_middle(page: Page, handle: Locator) -> None:
    bar, grip = handle.locator("..").bounding_box(), handle.bounding_box()
    assert bar
    assert grip
    y = grip["y"] + grip["height"] / 2
    page.mouse.move(grip["x"] + grip["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(bar["x"] + bar["width"] / 4, y, steps=3)
    page.mouse.move(bar["x"] + bar["width"] / 2, y, steps=3)
    page.mouse.up()
