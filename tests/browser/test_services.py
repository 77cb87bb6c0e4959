"""The services: how they stand in words, and what is done to them from their page."""

import re

from playwright.sync_api import Page, expect

from tests.browser.looking import Console

UNDONE = "/apis/serving.knative.dev/v1/namespaces/shop/services/undone"


def go(page: Page, where: str) -> None:
    page.goto(re.sub("#.*", where, page.url))


def test_the_list_says_how_each_service_stands_and_leads_to_it(page: Page) -> None:
    go(page, "#/services")
    rows = page.get_by_role("grid", name="Services").get_by_role("row")
    greeter = rows.filter(has_text="greeter")
    expect(greeter).to_contain_text(re.compile("At zero|Starting|ready"))
    page.get_by_role("searchbox", name="Search services").fill("greet")
    expect(rows).to_have_count(2)
    greeter.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="shop/greeter")).to_be_visible()
    expect(page.get_by_role("button", name="Copy the address").first).to_be_visible()


def test_a_service_is_invoked_restarted_and_brought_to_zero(page: Page) -> None:
    go(page, "#/services/shop/greeter")
    page.get_by_role("button", name="Invoke", exact=True).click()
    form = page.get_by_role("complementary", name="Invoke greeter")
    form.get_by_label("Path", exact=True).fill("/hello?a=b")
    form.get_by_label("Headers", exact=True).fill("no header")
    expect(form.get_by_text("This is no header: no header")).to_be_visible()
    form.get_by_label("Headers", exact=True).fill("X-A: it's <b>")
    form.get_by_role("button", name="Copy as curl").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(r"curl -i -H 'X-A: it'\\''s <b>' 'http://greeter.+/hello\?a=b'", copied)
    form.get_by_role("button", name="Send").click()
    expect(form.get_by_text("200")).to_be_visible()
    expect(form.get_by_role("region", name="Body of the answer")).to_contain_text("greeter-0000")
    link = form.get_by_role("link", name="Where its time went")
    expect(link).to_have_attribute("href", re.compile("#/requests/[0-9a-f-]{36}"))
    page.keyboard.press("Escape")
    expect(form).to_have_count(0)
    page.get_by_role("button", name="Restart").click()
    expect(page.get_by_role("status").get_by_text("greeter restarted")).to_be_visible()
    page.get_by_role("button", name="Scale to zero").click()
    expect(page.get_by_text("greeter is at zero")).to_be_visible()
    expect(page.get_by_text("At zero", exact=True).first).to_be_visible()
    expect(page.get_by_text("somebody asked for it")).to_be_visible()


def test_a_change_that_does_not_work_is_said_and_taken_back(page: Page, console: Console) -> None:
    first, second = "undone-00001", "undone-00002"
    admin = console.run.admin
    change = {"spec": {"template": {"metadata": {"annotations": {"note": "second"}}}}}
    answer = admin.patch(
        UNDONE, json=change, headers={"Content-Type": "application/merge-patch+json"}
    )
    assert answer.status_code == 200, answer.text
    go(page, "#/services/shop/undone")
    expect(page.get_by_role("link", name=second, exact=True)).to_be_visible()
    expect(page.get_by_label(f"Percent of the traffic for {second}")).to_be_visible()
    page.get_by_label("Add a revision to the traffic…").select_option(first)
    share = page.get_by_label(f"Percent of the traffic for {first}")
    share.fill("30")
    share.press("Tab")
    expect(page.get_by_text("Not applied yet", exact=True)).to_be_visible()
    # Somebody else takes that revision away meanwhile.
    gone = f"/apis/serving.knative.dev/v1/namespaces/shop/revisions/{first}"
    assert admin.delete(gone).status_code == 200
    page.get_by_role("button", name="Apply").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The last change of undone does not work")
    expect(alert).to_contain_text("names a revision that does not exist")
    assert console.run.get("undone.shop").text == second
    page.get_by_role("button", name=re.compile("^Undo")).click()
    expect(alert).to_have_count(0)
