"""The mails in a browser, light and dark, on phone and desktop: axe finds nothing."""

from typing import TYPE_CHECKING

import pytest

from release.mails import FOLDER, PICTURED, Sample, gallery
from tests.pages.test_pages import opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SAMPLES = [sample for sample in gallery() if sample.html is not None]
WIDTHS = {"phone": 390, "desktop": 900}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", WIDTHS)
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_axe_finds_nothing_and_nothing_is_cut_off(
    browser: "Browser", sample: Sample, device: str, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415

    with opened(browser, device, scheme) as tab:
        tab.set_viewport_size({"width": WIDTHS[device], "height": 600})
        tab.set_content(sample.html or "")
        found = Axe().run(tab)
        assert found.violations_count == 0, found.generate_report()
        assert tab.evaluate("document.documentElement.scrollWidth") <= WIDTHS[device]
        assert tab.evaluate("document.documentElement.lang") == "fr"
        assert tab.evaluate("document.querySelectorAll('h1').length") == 1
        dark = tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 22, 22)"
        assert dark is (scheme == "dark")
        if sample.name in PICTURED:
            tab.screenshot(path=FOLDER / f"{sample.name}-{device}-{scheme}.png", full_page=True)
