"""Every page, light and dark, wide and narrow, as axe judges it."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looking import NARROW, PAGES, WIDE, Console, picture
from tests.browser.sending import send
from tests.e2e.executable import ROOT, wait_until
from tests.required import missing

AXE = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"
BAD = {"serious", "critical"}
LOOKS = [
    pytest.param({"size": size, "theme": theme}, id=f"{theme}-{size[0]}")
    for size in (WIDE, NARROW)
    for theme in ("light", "dark")
]


@pytest.fixture(scope="module")
def axe() -> str:
    """What judges a page."""
    if not AXE.exists():
        missing("console", "axe is not there: npm ci in console/")
    return AXE.read_text("utf-8")


@pytest.fixture(scope="module", autouse=True)
def something_happened(console: Console) -> None:
    """A request, an event that is delivered, and one that nobody can take."""
    assert console.run.get("web.brokered").status_code == 200
    send(console.run, "shop/orders", id="a11y", type="com.example.order")
    wait_until(
        lambda: console.run.seen("DeliveryAttempted", leg="dead letter sink", ended=True),
        "the dead letter",
    )


def violations(page: Page, axe: str) -> list[str]:
    """What axe finds serious in *page*: rule, element, why."""
    page.evaluate(axe)
    found: dict[str, Any] = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        f"{each['id']}: {node['target']}: {node['failureSummary']}"
        for each in found["violations"]
        if each["impact"] in BAD
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("looked", LOOKS, indirect=True)
def test_axe_finds_nothing_serious(page: Page, axe: str, request: pytest.FixtureRequest) -> None:
    look = request.node.callspec.id
    found = []
    for where in (*PAGES, "send"):
        page.goto(re.sub("#.*", f"#/{where}", page.url))
        page.wait_for_load_state("networkidle")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        picture(page, f"{where}-{look}")
        found += [f"{where}: {each}" for each in violations(page, axe)]
    assert not found, "\n".join(found)


def test_axe_finds_nothing_serious_in_what_opens(page: Page, axe: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    found = []
    for key, name in (("?", "Keys"), ("Control+k", "Go to a page or an object")):
        page.keyboard.press(key)
        expect(page.get_by_role("dialog", name=name)).to_be_visible()
        found += violations(page, axe)
        page.keyboard.press("Escape")
    assert not found, "\n".join(found)
