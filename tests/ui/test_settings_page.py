"""A voice's settings can be changed, and deleting it asks, can be undone, and is final only when that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from filelock import FileLock
from in_browser import Studio, assert_accessible, focused, wait_until_said

from ownvoice.config import TrainingSettings, VoiceSettings
from ownvoice.data.manifest import read_manifest
from ownvoice.data.voice_settings import read_voice_settings, write_voice_settings
from voices import make_voice

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_settings_are_saved_and_that_is_said(tab: Page, studio: Studio) -> None:
    voice = make_voice(studio.voices / "anna", 1)
    tab.goto("/voices/anna/settings")
    assert_accessible(tab)
    tab.get_by_label("Language you speak").select_option("de")
    tab.get_by_label("Every sound you make").check()
    tab.get_by_label("Text the speaker agreed to").fill("I agree.\nAnna")
    tab.get_by_role("button", name="Save").press("Enter")
    tab.get_by_text("Saved.", exact=True).first.wait_for()
    wait_until_said(tab, "Saved.")
    assert focused(tab) == "Save"
    settings = read_voice_settings(voice)
    assert (settings.language, settings.transcript_style, settings.consent) == ("de", "verbatim", "I agree.\nAnna")
    tab.reload()
    assert tab.get_by_label("Language you speak").input_value() == "de"


def test_a_page_left_open_takes_back_nothing_that_another_changed(tab: Page, studio: Studio) -> None:
    voice = make_voice(studio.voices / "frieda", 1)
    tab.goto("/voices/frieda/settings")
    write_voice_settings(voice, VoiceSettings(consent="I agree.\n\"Frieda\" & 'me'"))  # as on another page
    tab.get_by_label("Every sound you make").check()
    tab.get_by_role("button", name="Save").press("Enter")
    wait_until_said(tab, "Saved.")
    settings = read_voice_settings(voice)
    assert (settings.transcript_style, settings.consent) == ("verbatim", "I agree.\n\"Frieda\" & 'me'")
    assert tab.get_by_label("Text the speaker agreed to").input_value() == settings.consent
    write_voice_settings(voice, VoiceSettings(consent=""))  # taken back there
    tab.get_by_label("Language you speak").select_option("de")
    tab.get_by_role("button", name="Save").press("Enter")
    tab.wait_for_function("() => document.getElementById('consent').value === ''")
    assert read_voice_settings(voice) == VoiceSettings(language="de")


def test_settings_that_cannot_be_read_are_set_anew_and_the_old_ones_kept(tab: Page, studio: Studio) -> None:
    voice = make_voice(studio.voices / "newer", 2)
    written = "language: fr\ndialect: of a later version\nconsent: I agree.\n"
    voice.settings.write_text(written)
    tab.goto("/")
    card = tab.locator(".voice", has_text="newer")
    assert "Its recordings are not touched by that." in card.inner_text()
    tab.goto("/voices/newer/record")
    assert_accessible(tab)
    tab.get_by_role("link", name="Set them anew").click()
    tab.wait_for_url("**/settings")
    assert "there is no such setting" in tab.locator("#unreadable").inner_text().lower()
    assert_accessible(tab)
    tab.get_by_label("Language you speak").select_option("fr")
    tab.get_by_role("button", name="Save").press("Enter")
    wait_until_said(tab, "Saved.")
    assert not tab.locator("#unreadable").is_visible()
    assert read_voice_settings(voice).language == "fr"
    assert voice.unreadable_settings.read_text() == written
    assert voice.unreadable_settings.stat().st_mode & 0o777 == 0o600
    assert len(read_manifest(voice).utterances) == 2


def test_deleting_asks_says_what_goes_and_can_be_undone(tab: Page, studio: Studio) -> None:
    voice = make_voice(studio.voices / "berta", 3)
    before = read_manifest(voice)
    tab.goto("/voices/berta/settings")
    delete = tab.get_by_role("button", name="Delete this voice")
    delete.press("Enter")
    question = tab.get_by_role("dialog", name="Delete berta?")
    assert "3 recordings" in question.inner_text()
    assert_accessible(tab)
    tab.keyboard.press("Escape")
    assert focused(tab) == "delete", "the focus is back where it was"
    assert voice.path.exists()
    delete.press("Enter")
    question.get_by_role("button", name="Yes, delete it").press("Enter")
    tab.wait_for_url("**/?deleted=*")
    assert not voice.path.exists()
    assert_accessible(tab)
    tab.locator("#just-deleted").get_by_role("button", name="Undo").press("Enter")
    tab.wait_for_url(studio.url + "/")
    assert read_manifest(voice) == before


def test_a_voice_that_is_being_taught_is_not_deleted(tab: Page, studio: Studio) -> None:
    voice = make_voice(studio.voices / "dora", 1)
    run = voice.new_run()
    TrainingSettings(base_model="tiny").save(run.config)
    tab.goto("/voices/dora/settings")
    with FileLock(run.job_lock):
        tab.get_by_role("button", name="Delete this voice").click()
        tab.get_by_role("button", name="Yes, delete it").click()
        wait_until_said(tab, "A model is being taught in this voice")
    assert voice.path.exists()
    assert_accessible(tab)


def test_only_a_second_question_deletes_for_good(tab: Page, studio: Studio) -> None:
    make_voice(studio.voices / "clara", 1)
    tab.goto("/voices/clara/settings")
    tab.get_by_role("button", name="Delete this voice").click()
    tab.get_by_role("button", name="Yes, delete it").click()
    tab.wait_for_url("**/?deleted=*")
    tab.locator("#trash summary").press("Enter")
    tab.locator("#trash").get_by_role("button", name="Delete for good clara").press("Enter")
    assert_accessible(tab)
    tab.get_by_role("button", name="No, keep it").press("Enter")
    assert len(list((studio.voices / ".trash").iterdir())) == 1
    tab.locator("#trash").get_by_role("button", name="Delete for good clara").press("Enter")
    tab.get_by_role("button", name="Yes, delete it for good").press("Enter")
    wait_until_said(tab, "clara is deleted for good.")
    assert list((studio.voices / ".trash").iterdir()) == []
