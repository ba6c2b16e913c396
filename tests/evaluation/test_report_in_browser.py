"""The page in a real browser: silent, playable, operable, and free of what an accessibility checker finds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from made_up_results import judge

from ownvoice.evaluation.report import write_report
from ownvoice.rundir import RunFolder

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

ROWS = [
    ("Open the window, please.", "hope in the winter please", "Open the window, please."),
    ("Yes", "yes yes I will see you then", "Yes."),
    ("I want tea", "", "I want see"),
    ("It is cold", "it is cold", "it is old"),
    ("Tell محمد about the pneumono" + "ultra" * 20 + "scopic", "tell mama", "wow" * 60),
    ("a rather long phrase of more than nine words is this one", "a rather long phase", "nothing of the kind"),
]


@pytest.fixture
def page(run: RunFolder, chromium: Browser) -> Iterator[Page]:
    """The report of six phrases, open; fails afterwards if it logged anything or asked for anything but itself."""
    write_report(run, judge(run, ROWS, silence=[("Thank you for watching", "")], names=["محمد", "Bartholomew" * 6]))
    opened = chromium.new_page(reduced_motion="reduce")
    trouble: list[str] = []
    opened.on("console", lambda message: trouble.append(message.text))
    opened.on("pageerror", lambda error: trouble.append(str(error)))
    opened.on("request", lambda request: trouble.append(request.url) if is_outside(request.url) else None)
    opened.goto(run.evaluation_html.as_uri())
    yield opened
    opened.close()
    assert trouble == []


def is_outside(address: str) -> bool:
    return not address.startswith(("data:", "blob:")) and not address.endswith("/evaluation.html")


def shown(page: Page) -> list[str]:
    return [title.strip() for title in page.locator("article:visible h3 [dir]").all_inner_texts()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_accessibility_checker_finds_nothing(page: Page, scheme: str, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 800})
    page.locator("summary").click()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("width", [320, 480, 768])
def test_no_sideways_scrolling(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    page.locator("summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("table").evaluate_all("tables => tables.every(t => t.scrollWidth <= t.parentNode.clientWidth)")


def test_a_recording_plays(page: Page) -> None:
    player = page.get_by_label("Recording of phrase 2")
    seconds = player.evaluate(
        """player => new Promise((resolve, reject) => {
            player.onloadedmetadata = () => resolve(player.duration);
            player.onerror = () => reject(player.error.message);
            player.load();
            player.preload = "metadata";
        })"""
    )
    assert seconds == pytest.approx(0.5, abs=0.2)


def test_phrases_are_filtered_by_keyboard(page: Page) -> None:
    assert len(shown(page)) == len(ROWS)
    page.get_by_label("All 6").focus()
    page.keyboard.press("ArrowDown")
    assert shown(page) == ["Yes", "Open the window, please.", "I want tea"]
    page.keyboard.press("ArrowDown")
    assert "Yes" not in shown(page)
    page.keyboard.press("ArrowDown")
    assert shown(page)[0] == "It is cold"


def test_keyboard_reaches_links_filter_and_players(page: Page) -> None:
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.tagName"))
    assert reached[0] == "A"  # the way past everything to the phrases
    assert {"A", "SUMMARY", "INPUT", "AUDIO"} <= set(reached)


def test_on_paper_the_table_is_open_and_controls_are_gone(page: Page) -> None:
    page.emulate_media(media="print")
    assert page.locator("audio:visible, nav:visible, fieldset:visible").count() == 0
    assert page.locator("#lengths td").first.is_visible()
    assert len(shown(page)) == len(ROWS)
