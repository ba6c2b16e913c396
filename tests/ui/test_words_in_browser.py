"""The pages in each translated language: said so to screen readers, accessible, and no wider than a small phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from in_browser import Studio, assert_accessible
from record_desk import RecordDesk

from made_up_runs import judge, trained_run
from ownvoice.rundir import RunFolder
from voices import make_voice

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize

pytestmark = pytest.mark.browser

SMALL_PHONE: ViewportSize = {"width": 320, "height": 640}

PAGES = ("record", "upload", "dataset", "settings", "train", "try", "models", "publish", "compare")


@pytest.fixture(scope="module")
def judged(studio: Studio) -> RunFolder:
    """A run with a result, of the voice anna."""
    run = trained_run(make_voice(studio.voices / "anna", 40))
    judge(run, base=lambda said: "the", tuned=lambda said: said.replace("tea", "key and so on"))
    return run


@pytest.mark.parametrize(
    ("asked", "language", "start_reading"),
    [
        ("es-MX,es;q=0.9", "es", "Empezar a leer"),
        ("fr-CA", "fr", "Commencer à lire"),
        ("de", "de", "Vorlesen beginnen"),
    ],
)
def test_the_start_page_comes_in_the_language_the_browser_asks_for(
    tab: Page, asked: str, language: str, start_reading: str
) -> None:
    tab.set_viewport_size(SMALL_PHONE)
    tab.set_extra_http_headers({"accept-language": asked})
    tab.goto("/")
    assert tab.locator("html").get_attribute("lang") == language
    assert tab.get_by_role("button", name=start_reading).is_visible()
    open_everything(tab)
    assert_accessible(tab)


@pytest.mark.parametrize(
    ("language", "record", "stop", "saved"),
    [
        ("es", "Grabar", "Parar", "Guardada, "),
        ("fr", "Enregistrer", "Arrêter", "Sauvegardé, "),
        ("de", "Aufnehmen", "Stopp", "Gespeichert, "),
    ],
)
def test_the_record_page_speaks_the_language_chosen(
    tab: Page, studio: Studio, language: str, record: str, stop: str, saved: str
) -> None:
    """Its script writes and announces in that language too; the voice itself may speak another one."""
    tab.set_viewport_size(SMALL_PHONE)
    choose(tab, studio, language)
    desk = RecordDesk(tab, studio, f"voice-{language}")
    assert tab.locator("html").get_attribute("lang") == language
    assert desk.part("record").inner_text().startswith(record)
    desk.begin()
    assert desk.part("record").inner_text().startswith(stop)
    assert_accessible(tab)
    desk.end()
    desk.wait_to_hear(saved)
    open_everything(tab)
    assert_accessible(tab)


@pytest.mark.parametrize("size", ["100", "200"])
@pytest.mark.parametrize("language", ["es", "fr", "de"])
def test_no_page_is_wider_than_a_small_phone(
    tab: Page, studio: Studio, judged: RunFolder, language: str, size: str
) -> None:
    """Nor with the largest text: long words of a translation must break, not push the page sideways."""
    tab.set_viewport_size(SMALL_PHONE)
    choose(tab, studio, language)
    tab.context.add_cookies([{"name": "size", "value": size, "url": studio.url}])
    run = judged.path.name
    for name in (*PAGES, f"runs/{run}", f"curve?run={run}"):
        tab.goto(f"/voices/anna/{name}", wait_until="load")
        open_everything(tab)
        assert tab.locator("html").get_attribute("lang") == language
        assert tab.evaluate("document.documentElement.scrollWidth") <= SMALL_PHONE["width"], name


def choose(page: Page, studio: Studio, language: str) -> None:
    page.context.add_cookies([{"name": "language", "value": language, "url": studio.url}])


def open_everything(page: Page) -> None:
    """Unfold what is folded, so that it is measured too."""
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
