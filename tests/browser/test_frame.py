"""What stands around the pages: the way through them, languages, themes, a server that goes."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looking import LETTERS, NARROW, PAGES

NAMES = {
    "en": ("Map", "Services", "Requests", "Events", "Logs", "Manifests"),
    "es": ("Mapa", "Servicios", "Peticiones", "Eventos", "Registros", "Manifiestos"),
}
LANGUAGES = [
    pytest.param({"language": "en-US"}, id="en"),
    pytest.param({"language": "es"}, id="es"),
]


@pytest.mark.parametrize("looked", LANGUAGES, indirect=True)
def test_every_page_is_one_press_away(page: Page, request: pytest.FixtureRequest) -> None:
    language = request.node.callspec.id
    rail = page.get_by_role("navigation", name="Pages" if language == "en" else "Páginas")
    for name, where in zip(NAMES[language], PAGES, strict=True):
        link = rail.get_by_role("link", name=name, exact=True)
        link.click()
        expect(page).to_have_url(re.compile(f"#/{where}"))
        expect(link).to_have_attribute("aria-current", "page")
        expect(page).to_have_title(f"{name} · knlite")
    assert page.evaluate("document.documentElement.lang") == language


def test_every_page_is_two_keys_away(page: Page) -> None:
    expect(page.get_by_role("main")).to_be_visible()
    for where, letter in LETTERS.items():
        page.keyboard.press("g")
        page.keyboard.press(letter)
        expect(page).to_have_url(re.compile(f"#/{where}"))


def test_the_palette_goes_to_an_object_by_a_few_letters(page: Page) -> None:
    expect(page.get_by_role("main")).to_be_visible()
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Go to a page or an object").fill("greet")
    expect(page.get_by_role("option", name=re.compile("greeter")).first).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("greet"))
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_keys_are_told_and_escape_closes_them(page: Page) -> None:
    expect(page.get_by_role("main")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_theme_and_a_language_are_kept(page: Page) -> None:
    page.get_by_role("button", name="Español").click()
    expect(page.get_by_role("link", name="Mapa", exact=True)).to_be_visible()
    for theme in ("light", "dark"):
        page.get_by_role("button", name=re.compile("^Colores")).click()
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
    page.reload()
    expect(page.get_by_role("link", name="Mapa", exact=True)).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("looked", [{"size": NARROW}], indirect=True)
def test_no_page_is_wider_than_a_telephone(page: Page) -> None:
    for where in PAGES:
        page.goto(re.sub("#.*", f"#/{where}", page.url))
        expect(page.get_by_role("main")).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), where


def test_tab_reaches_what_is_on_every_page_and_shows_where_it_is(page: Page) -> None:
    for where in PAGES:
        page.goto(re.sub("#.*", f"#/{where}", page.url))
        expect(page.get_by_role("main")).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Skip to the content")).to_be_focused()
        seen = set()
        for _ in range(25):
            page.keyboard.press("Tab")
            seen.add(page.evaluate(FOCUSED))
        assert "none" not in seen, where
        assert len(seen) > 8, where
        page.reload()


FOCUSED = """() => {
    const at = document.activeElement;
    if (!at || at === document.body) return "outside";
    const {outlineStyle, outlineWidth, boxShadow} = getComputedStyle(at);
    const shown = (outlineStyle !== "none" && outlineWidth !== "0px") || boxShadow !== "none";
    if (!shown) return "none";
    return `${at.tagName} ${at.getAttribute("aria-label") ?? at.textContent}`;
}"""
