"""The start page: one button begins; everything else may be chosen; what there is already is shown first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from in_browser import Studio, assert_accessible, focused, tab_onto, wait_until_said

from ownvoice.config import VOXTRAL_LANGUAGES
from ownvoice.data.manifest import revise_utterance
from ownvoice.data.voice_settings import read_voice_settings
from ownvoice.rundir import VoiceFolder
from voices import make_voice

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [320, 1100])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_it_is_accessible_before_and_after_the_first_voice(tab: Page, studio: Studio, width: int, colours: str) -> None:
    tab.set_viewport_size({"width": width, "height": 800})
    tab.emulate_media(color_scheme="dark" if colours == "dark" else "light")
    tab.goto("/")
    tab.locator("#new-voice summary").click()
    assert_accessible(tab)
    if not (studio.voices / "anna").exists():
        make_voice(studio.voices / "anna", 2)
        (studio.voices / "broken").mkdir()
        (studio.voices / "broken" / "voice.yaml").write_text("language: 7\n")
    tab.goto("/")
    assert_accessible(tab)


def test_one_key_begins_at_the_defaults(tab: Page, studio: Studio) -> None:
    tab.goto("/")
    tab_onto(tab, "Start reading aloud")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/record")
    made = VoiceFolder(studio.voices / tab.url.split("/")[-2])
    settings = read_voice_settings(made)
    assert (settings.language, settings.transcript_style, settings.consent) == ("en", "intended", "")
    tab.goto("/")
    assert tab.locator("#name").input_value() not in {path.name for path in studio.voices.iterdir()}


def test_name_language_and_way_of_writing_can_be_chosen_by_keyboard(tab: Page, studio: Studio) -> None:
    tab.goto("/")
    tab_onto(tab, "Name, language and way of writing")
    tab.keyboard.press("Enter")
    tab_onto(tab, "name")
    tab.keyboard.press("Control+A")
    tab.keyboard.type("Großvater Jan")
    tab_onto(tab, "language")
    tab.keyboard.type("Another")
    tab.keyboard.press("Tab")
    tab.keyboard.press("ArrowDown")
    assert tab.locator("#chosen").inner_text() == "Großvater Jan, Another language: detect it, every sound you make"
    tab.get_by_role("button", name="I have recordings already").press("Enter")
    tab.wait_for_url("**/upload")
    settings = read_voice_settings(VoiceFolder(studio.voices / "Großvater Jan"))
    assert (settings.language, settings.transcript_style) == (None, "verbatim")


def test_the_languages_the_model_knows_best_come_first(tab: Page) -> None:
    tab.goto("/")
    values = tab.locator("#language option").evaluate_all("options => options.map((option) => option.value)")
    assert values == [*VOXTRAL_LANGUAGES, ""]


def test_a_name_that_is_taken_is_refused_in_words_and_can_be_changed_at_once(tab: Page, studio: Studio) -> None:
    make_voice(studio.voices / "taken", 1)
    tab.goto("/")
    tab.locator("#new-voice summary").click()
    tab.locator("#name").fill("taken")
    tab.get_by_role("button", name="Start reading aloud").click()
    tab.locator("#refused").wait_for()
    assert "taken" in tab.locator("#refused").inner_text()
    wait_until_said(tab, tab.locator("#refused").inner_text())
    assert focused(tab) == "name"
    assert_accessible(tab)


def test_a_voice_shows_its_minutes_and_last_day_and_goes_on(tab: Page, studio: Studio) -> None:
    voice = make_voice(studio.voices / "berta", 3)
    for number in (1, 2, 3):
        revise_utterance(voice, f"wavs/{number:04}.wav", duration=40.0)
    tab.goto("/")
    row = tab.locator(".voice", has_text="berta")
    assert "2 minutes · 3 recordings · last on" in row.inner_text()
    assert "7 more recordings, and there is enough for a first look." in row.inner_text()
    year = row.locator("time").get_attribute("datetime")[:4]  # type: ignore[index]
    assert year in row.locator("time").inner_text()
    row.get_by_role("link", name="Go on reading").click()
    tab.wait_for_url("**/voices/berta/record")


def test_the_next_step_is_said_and_a_link_away(tab: Page, studio: Studio) -> None:
    make_voice(studio.voices / "clara", 12)
    tab.goto("/")
    row = tab.locator(".voice", has_text="clara")
    assert "Enough for a first look" in row.inner_text()
    assert_accessible(tab)
    row.get_by_role("link", name="Teach the model").click()
    tab.wait_for_url("**/voices/clara/train")
