"""The page that `wif rules coverage --html` writes, in a browser: found, read and not cut off."""

from typing import TYPE_CHECKING

import pytest

from config.settings import HERE
from tests.fixtures.processes import wif
from tests.pages.test_pages import opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDE = (1_440, 900)
NAME, MAILBOX = "Unité départementale de la Côte-d'Or", "moe.ud021@direccte.example"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of the default rules, as a file."""
    folder = tmp_path_factory.mktemp("coverage")
    path = folder / "coverage.html"
    ran = wif("rules", "coverage", "--html", str(path), str(HERE), WIF_VAR_DIR=str(folder))
    assert ran.returncode == 0, ran.stderr
    return path.as_uri()


def shown_rows(tab: "Page") -> list[str]:
    """The départements that are to be seen."""
    rows = tab.locator("#matrix tbody tr:visible th").all_inner_texts()
    return [row.strip() for row in rows]


@pytest.mark.parametrize("device", ["phone", "desktop"])
def test_axe_finds_nothing_and_nothing_is_cut_off(
    browser: "Browser", address: str, device: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415

    with opened(browser, device, "light") as tab:
        tab.goto(address)
        found = Axe().run(tab)
        assert found.violations_count == 0, found.generate_report()
        sizes = "[document.documentElement.scrollWidth, window.innerWidth]"
        whole, seen = tab.evaluate(sizes)
        assert whole <= seen


def test_all_columns_are_on_a_wide_screen(browser: "Browser", address: str) -> None:
    with opened(browser, "desktop", "light") as tab:
        tab.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
        tab.goto(address)
        heads = tab.locator("#matrix thead th")
        boxes = [head.bounding_box() for head in heads.all()]
        assert len(boxes) > 5
        assert all(box and box["x"] + box["width"] <= WIDE[0] for box in boxes)
        cut = "each => each.filter(one => one.scrollWidth > one.clientWidth).length"
        assert tab.locator("#matrix th, #matrix td").evaluate_all(cut) == 0


DIVIDED = """heads => heads.flatMap(head => {
    const text = head.querySelector("button").firstChild, range = document.createRange();
    const top = at => {
        range.setStart(text, at);
        range.setEnd(text, at + 1);
        return Array.from(range.getClientRects()).pop().top;
    };
    return Array.from(text.data.matchAll(/[^\\s\\u00ad-]+/g))
        .filter(word => top(word.index) !== top(word.index + word[0].length - 1))
        .map(word => word[0]);
})"""
"""The words of the heads that go on in a line of their own without a hyphen."""


@pytest.mark.parametrize("width", [1_280, 1_400, WIDE[0], 1_920])
def test_no_word_of_a_head_is_cut(browser: "Browser", address: str, width: int) -> None:
    with opened(browser, "desktop", "light") as tab:
        tab.set_viewport_size({"width": width, "height": WIDE[1]})
        tab.goto(address)
        assert tab.locator("#matrix thead th").evaluate_all(DIVIDED) == []


def test_names_and_mailboxes_of_units_are_a_hover_and_a_click_away(
    browser: "Browser", address: str
) -> None:
    with opened(browser, "desktop", "light") as tab:
        tab.goto(address)
        title = tab.locator("#matrix abbr", has_text="UD021").first.get_attribute("title")
        assert title == f"{NAME} <{MAILBOX}>"
        listed = tab.locator("details tr", has_text="UD021")
        assert not listed.is_visible()
        tab.click("details summary")
        assert listed.is_visible()
        assert listed.inner_text().split("\t") == ["UD021", NAME, MAILBOX]


@pytest.mark.parametrize(
    "typed",
    ["Côte-d'Or", "cote d or", "COTE-D’OR", "ud021", MAILBOX, "unite departementale de la cote d"],
)
def test_a_search_finds_without_accents_hyphens_and_capitals(
    browser: "Browser", address: str, typed: str
) -> None:
    with opened(browser, "desktop", "light") as tab:
        tab.goto(address)
        assert len(shown_rows(tab)) > 100
        tab.fill("#search", typed)
        assert "21 Côte-d'Or" in shown_rows(tab)
        assert len(shown_rows(tab)) <= 3
        tab.fill("#search", "atlantide")
        assert shown_rows(tab) == []
        assert tab.inner_text("#count") == "0 ligne"


def test_a_phone_shows_a_list_with_names_and_mailboxes(browser: "Browser", address: str) -> None:
    with opened(browser, "phone", "light") as tab:
        tab.goto(address)
        assert not tab.locator("#matrix thead").is_visible()
        tab.fill("#search", "21 cote")
        (row,) = tab.locator("#matrix tbody tr:visible").all()
        said = row.inner_text()
        assert f"{NAME} · {MAILBOX}" in said
        cells = [cell.bounding_box() for cell in row.locator("td").all()]
        tops = [box["y"] for box in cells if box]
        assert tops == sorted(set(tops)), "one below the other"
