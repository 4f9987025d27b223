"""`/stats` and `/ops` in a browser: axe finds nothing, nothing is cut off, all is from here."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.pages.conftest import ENTRY, Sites

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SHOTS = Path(__file__).resolve().parents[2] / "docs" / "pages"
KEPT = {
    *("stats-0-phone-light", "stats-3-desktop-light", "ops-0-desktop-light", "ops-3-phone-dark"),
    *(
        f"{name}-100000-{device}-{scheme}"
        for name in ("stats", "ops")
        for device in ("phone", "desktop")
        for scheme in ("light", "dark")
    ),
}
"""Screenshots that are kept in docs/; the others would show nothing else."""

DEVICES = {"phone": (390, 844), "desktop": (1280, 900)}
SHOWN = {"phone": 2_200, "desktop": 1_700}
"""How much of a page a screenshot shows, in pixels from its top."""

PATHS = {
    "stats": "/stats",
    "chosen": "/stats?departement=75&carte=retard",
    "ops": "/ops",
    "coverage": "/ops/couverture",
}
MOST_BYTES = 300_000


@contextmanager
def opened(
    browser: "Browser", device: str, scheme: str, *, scripts: bool = True
) -> Iterator["Page"]:
    """A tab of a device that prefers light or dark, with the login of the ops page."""
    width, height = DEVICES[device]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        http_credentials={"username": "ops", "password": ENTRY},
        locale="fr-FR",
        java_script_enabled=scripts,
    )
    try:
        yield context.new_page()
    finally:
        context.close()


def address(sites: Sites, name: str) -> str:
    return (sites.private if name in {"ops", "coverage"} else sites.public) + PATHS[name]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", PATHS)
def test_axe_finds_nothing_and_nothing_is_cut_off(
    browser: "Browser", sites: Sites, size: int, name: str, device: str, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415

    if (name == "chosen" and size < 100_000) or (name == "coverage" and size):
        pytest.skip("shows nothing that another size does not")
    with opened(browser, device, scheme) as tab:
        loaded: list[tuple[str, int]] = []
        tab.on("response", lambda answer: loaded.append((answer.url, len(answer.body()))))
        problems: list[str] = []
        tab.on("console", lambda message: problems.append(message.text))
        tab.goto(address(sites, name))
        tab.wait_for_load_state("networkidle")
        found = Axe().run(tab)
        assert found.violations_count == 0, found.generate_report()
        assert problems == []
        assert all(url.startswith((sites.public, sites.private)) for url, _ in loaded)
        if name in {"stats", "chosen"}:
            assert sum(bytes_ for _, bytes_ in loaded) < MOST_BYTES
        width = tab.evaluate("document.documentElement.scrollWidth")
        assert width <= DEVICES[device][0]
        _keep(tab, f"{name}-{size}-{device}-{scheme}", device)


def _keep(tab: "Page", name: str, device: str) -> None:
    """Write a screenshot that is kept."""
    if name not in KEPT:
        return
    SHOTS.mkdir(exist_ok=True)
    height = min(tab.evaluate("document.documentElement.scrollHeight"), SHOWN[device])
    tab.screenshot(
        path=SHOTS / f"{name}.jpg",
        type="jpeg",
        quality=50,
        full_page=True,
        clip={"x": 0, "y": 0, "width": DEVICES[device][0], "height": height},
    )


@pytest.mark.parametrize("name", ["stats", "ops"])
def test_without_javascript_everything_is_there(
    browser: "Browser", sites: Sites, name: str
) -> None:
    with opened(browser, "desktop", "light") as tab:
        tab.goto(address(sites, name))
        text = tab.inner_text("main")
    with opened(browser, "desktop", "light", scripts=False) as tab:
        tab.goto(address(sites, name))
        assert tab.inner_text("main") == text


def test_the_ops_page_brings_itself_up_to_date_and_keeps_what_is_open(
    browser: "Browser", sites: Sites, size: int
) -> None:
    if size < 100_000:
        pytest.skip("there is nothing to open")
    with opened(browser, "desktop", "light") as tab:
        tab.goto(address(sites, "ops"))
        tab.click("#unrouted summary")
        tab.evaluate("document.activeElement.blur()")
        tab.evaluate("document.querySelector('#unrouted td.number').textContent = 'old'")
        tab.evaluate("document.querySelector('#rules').dataset.mark = 'kept'")
        tab.evaluate("refresh()")
        tab.wait_for_function("document.querySelector('#unrouted td.number').textContent !== 'old'")
        assert tab.evaluate("document.querySelector('#unrouted details').open")


def test_the_page_can_be_printed(
    browser: "Browser", sites: Sites, size: int, tmp_path: Path
) -> None:
    with opened(browser, "desktop", "light") as tab:
        tab.goto(address(sites, "stats"))
        tab.pdf(path=tmp_path / "stats.pdf", format="A4")
    content = (tmp_path / "stats.pdf").read_bytes()
    pages = content.count(b"/Type /Page\n") or content.count(b"/Type /Page ")
    assert 0 < pages < 15


def test_a_text_browser_shows_the_figures(sites: Sites, size: int) -> None:
    program = os.environ.get("TEXT_BROWSER") or shutil.which("w3m")
    if program is None or size < 100_000:
        pytest.skip("needs w3m and figures")
    shown = subprocess.run(
        [program, "-dump", "-cols", "80", address(sites, "stats")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "Demandes déposées" in shown
    assert "Par département" in shown
    assert max(map(len, shown.splitlines())) <= 80
