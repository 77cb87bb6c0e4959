"""Manifests: what is typed is tried, applied or refused; what must not be seen is not."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.looking import Console
from tests.browser.test_accessibility import axe, violations

__all__ = ["axe"]

TRIGGER = "#/manifests/eventing.knative.dev/v1/triggers/shop/urgent"
SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: keys
stringData:
  password: hunter2
"""


def write(page: Page, editor: Locator, text: str) -> None:
    """Write *text* over what is there, as a paste does."""
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def test_what_is_typed_is_tried_and_applied(console: Console, axe: str) -> None:
    with console.looking("#/manifests/new") as (page, watch):
        editor = page.get_by_role("textbox", name="New objects")
        apply = page.get_by_role("button", name="Apply")
        write(page, editor, SECRET + "stringdata: {}\n")
        problem = page.get_by_role("button", name="Line 7")
        expect(problem).to_be_visible()
        expect(page.get_by_text('unknown field "stringdata"').first).to_be_visible()
        expect(apply).to_be_disabled()
        assert violations(page, axe) == []
        write(page, editor, SECRET)
        expect(page.get_by_text("Secret keys will be created")).to_be_visible()
        apply.click()
        # Where it is opened its values are hidden until somebody asks.
        expect(page).to_have_url(re.compile("/secrets/default/keys"))
        opened = page.get_by_role("textbox", name="Secret keys")
        expect(opened).to_contain_text("password: (hidden)")
        page.get_by_role("switch", name="Show values").check()
        expect(opened).to_contain_text("password: aHVudGVyMg==")
        assert watch.problems == []


def test_an_object_is_edited_and_says_in_what_it_is_not_its_file(
    console: Console, axe: str
) -> None:
    with console.looking(TRIGGER) as (page, watch):
        editor = page.get_by_role("textbox", name="Trigger urgent")
        expect(editor).to_contain_text("broker: orders")
        page.get_by_text("labels:", exact=False).first.click()
        page.keyboard.press("End")
        page.keyboard.press("Enter")
        page.keyboard.type("team: console")
        expect(page.get_by_text("will be changed")).to_be_visible()
        page.keyboard.press("Control+Enter")
        expect(page.get_by_text("1 object applied")).to_be_visible()
        for tab in ("Conditions", "Events", "File"):
            page.get_by_role("tab", name=tab).click()
            expect(page.get_by_role("tabpanel", name=tab)).to_be_visible()
            assert violations(page, axe) == []
        expect(page.get_by_text(re.compile("shop.yaml, line")).first).to_be_visible()
        assert watch.problems == []


def test_nothing_is_overwritten_that_changed_while_it_was_edited(console: Console) -> None:
    with console.looking(TRIGGER) as (page, watch):
        editor = page.get_by_role("textbox", name="Trigger urgent")
        expect(editor).to_contain_text("broker: orders")
        editor.click()
        page.keyboard.press("Control+End")
        page.keyboard.type("# mine")
        _changed_by_somebody_else(console)
        expect(page.get_by_text("has changed while you were editing")).to_be_visible()
        page.get_by_role("button", name="Load it again").click()
        expect(editor).to_contain_text("theirs: somebody")
        assert watch.problems == []


def _changed_by_somebody_else(console: Console) -> None:
    path = "apis/eventing.knative.dev/v1/namespaces/shop/triggers/urgent"
    answer = console.run.admin.patch(
        f"{console.address}{path}",
        json={"metadata": {"labels": {"theirs": "somebody"}}},
        headers={"Content-Type": "application/merge-patch+json"},
    )
    assert answer.status_code == 200


def test_an_object_is_deleted_after_a_question(console: Console) -> None:
    with console.looking("#/manifests/new") as (page, watch):
        editor = page.get_by_role("textbox", name="New objects")
        write(page, editor, SECRET.replace("keys", "doomed"))
        page.get_by_role("button", name="Apply").click()
        expect(page.get_by_role("textbox", name="Secret doomed")).to_be_visible()
        page.get_by_role("button", name="Delete").click()
        question = page.get_by_role("dialog", name="Delete Secret doomed?")
        question.get_by_role("button", name="Delete").click()
        expect(page.get_by_role("row", name=re.compile("doomed"))).to_have_count(0)
        assert watch.problems == []
