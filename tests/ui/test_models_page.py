"""The models page: what each is worth and takes, which is mine, deleting with a question before and an undo after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from in_browser import Studio, assert_accessible, focused, wait_until_said

from made_up_runs import judge, trained_run
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.workflow import models
from voices import make_voice

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def voice(studio: Studio) -> VoiceFolder:
    return make_voice(studio.voices / "anna", 16)


@pytest.fixture
def run(voice: VoiceFolder) -> RunFolder:
    made = trained_run(voice)
    judge(made, base=lambda said: "the", tuned=lambda said: said)
    return made


def card(page: Page, run: RunFolder) -> str:
    return f'[data-run="{run.path.name}"]'


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light")])
def test_lists_what_each_is_worth_and_takes(tab: Page, run: RunFolder, width: int, scheme: str) -> None:
    tab.set_viewport_size({"width": width, "height": 800})
    tab.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    tab.goto("/voices/anna/models")
    text = tab.locator(card(tab, run)).inner_text()
    assert "tiny (lora)" in text
    assert "0%; before, 100%" in text
    assert "MB" in text
    assert_accessible(tab)


def test_one_model_is_mine(tab: Page, voice: VoiceFolder, run: RunFolder) -> None:
    tab.goto("/voices/anna/models")
    tab.locator(card(tab, run)).get_by_role("button", name="Make this model mine").click()
    wait_until_said(tab, "This model is yours")
    assert models.mine(voice) == run
    tab.reload()
    assert tab.get_by_text("This model is yours").count() == 1


def test_deleting_asks_says_what_goes_and_can_be_undone(tab: Page, voice: VoiceFolder, run: RunFolder) -> None:
    before = sorted(path.name for path in voice.wavs.iterdir())
    tab.goto("/voices/anna/models")
    tab.locator(card(tab, run)).get_by_role("button", name="Delete").click()
    dialog = tab.get_by_role("dialog")
    assert "the model, 0 MB" in dialog.inner_text()
    assert "Your recordings stay." in dialog.inner_text()
    assert_accessible(tab)
    tab.keyboard.press("Escape")
    assert focused(tab).startswith("Delete")
    assert run.config.is_file()

    tab.keyboard.press("Enter")
    tab.get_by_role("button", name="Yes, delete it").click()
    wait_until_said(tab, "The training of")
    assert focused(tab) == "Undo"
    assert not run.path.exists()
    assert_accessible(tab)
    with tab.expect_navigation():
        tab.keyboard.press("Enter")
    assert run.config.is_file()
    assert tab.locator(card(tab, run)).is_visible()
    assert sorted(path.name for path in voice.wavs.iterdir()) == before


def test_what_was_deleted_can_be_brought_back_later_or_thrown_away(tab: Page, voice: VoiceFolder) -> None:
    kept, gone = trained_run(voice), trained_run(voice)
    keys = [models.trash_run(voice, run.path.name).key for run in (kept, gone)]
    tab.goto("/voices/anna/models")
    assert_accessible(tab)
    tab.locator(f'[data-key="{keys[1]}"]').get_by_role("button", name="Delete for good").click()
    question = tab.get_by_role("dialog", name=f"Delete {gone.path.name} for good?")
    assert_accessible(tab)
    question.get_by_role("button", name="No, keep it").click()
    assert len(models.list_trashed_runs(voice)) == 2
    tab.keyboard.press("Enter")  # the focus is back on the button
    question.get_by_role("button", name="Yes, delete it for good").click()
    wait_until_said(tab, "It is gone for good.")
    with tab.expect_navigation():
        tab.locator(f'[data-key="{keys[0]}"]').get_by_role("button", name="Bring back").click()
    assert kept.config.is_file()
    assert models.list_trashed_runs(voice) == []


def test_a_copy_that_cannot_be_made_says_why(tab: Page, run: RunFolder) -> None:
    tab.goto("/voices/anna/models")
    box = tab.locator(card(tab, run)).locator(".exports")
    box.locator("summary").click()
    box.locator("[data-form=merged] button").click()
    wait_until_said(tab, "This did not work: ", seconds=120)
    assert "adapter" in box.locator("[data-form=merged]").inner_text()
    assert_accessible(tab)


def test_without_a_model_it_leads_to_training(tab: Page, studio: Studio) -> None:
    make_voice(studio.voices / "bo", 4)
    tab.goto("/voices/bo/models")
    assert tab.get_by_role("link", name="Teach the model").is_visible()
    assert_accessible(tab)
    tab.goto("/voices/bo/try")
    assert tab.get_by_role("link", name="Teach the model").is_visible()
    assert_accessible(tab)
