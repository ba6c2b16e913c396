"""Setting up a training: works as it is, every setting behind it, told at once what it needs; recipes in and out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from in_browser import Studio, assert_accessible, focused, tab_onto, wait_until_said

from made_up_runs import trained_run
from ownvoice import events
from ownvoice.config import VOXTRAL_SMALL, TrainingSettings, leaf_fields
from ownvoice.events import EventLog
from ownvoice.rundir import VoiceFolder
from voices import make_voice

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def voice(studio: Studio) -> VoiceFolder:
    return make_voice(studio.voices / "anna", 16)


@pytest.fixture
def setup(tab: Page, voice: VoiceFolder) -> Page:
    """The page, with what the usual choice needs on it."""
    tab.goto("/voices/anna/train")
    wait_for_plan(tab)
    return tab


def wait_for_plan(page: Page) -> None:
    page.locator("#preflight[aria-busy=false]").wait_for()


def open_advanced(page: Page) -> None:
    page.locator("#advanced > summary").click()


def field(page: Page, name: str) -> str:
    return page.locator(f'[name="{name}"]').input_value()


@pytest.mark.parametrize("colours", ["light", "dark", "contrast"])
@pytest.mark.parametrize("width", [320, 1280])
def test_is_accessible_with_every_setting_shown(setup: Page, width: int, colours: str) -> None:
    setup.set_viewport_size({"width": width, "height": 800})
    setup.locator("html").evaluate("(html, colours) => { html.dataset.colours = colours; }", colours)
    assert_accessible(setup)
    open_advanced(setup)
    assert_accessible(setup)


def test_every_setting_has_a_field_and_a_sentence(setup: Page) -> None:
    for path, described in leaf_fields(TrainingSettings):
        name = ".".join(path)
        if name == "base_model":  # chosen above
            continue
        control = setup.locator(f'[name="{name}"]')
        help_id = control.get_attribute("aria-describedby")
        sentence = " ".join((described.description or "").split())
        assert sentence and sentence in setup.locator(f"#{help_id}").text_content()  # type: ignore[operator]


def test_works_as_it_is_and_says_what_it_needs(setup: Page) -> None:
    assert setup.locator("#preflight-title").inner_text() == "This computer can do it."
    assert re.match(r"about \d+ (seconds|minutes)", setup.locator("[data-need=time]").inner_text())
    assert "GB" in setup.locator("[data-need=memory]").inner_text()
    assert re.search(r"learn from 16 recordings, \d+ seconds", setup.locator("#preflight").inner_text())
    assert setup.get_by_role("button", name="Teach the model").is_enabled()


def test_settings_follow_the_choices_but_not_over_what_a_person_set(setup: Page) -> None:
    open_advanced(setup)
    setup.get_by_label("Rank", exact=True).fill("8")
    assert setup.locator('[data-field="lora.rank"]').get_by_text("changed by you").is_visible()
    setup.get_by_label("Faster").check()
    wait_until_said(setup, "This computer can do it.")
    assert (field(setup, "epochs"), field(setup, "batch_size"), field(setup, "lora.rank")) == ("5", "8", "8")
    setup.get_by_role("button", name="Follow the choices above again").click()
    setup.locator('[name="lora.rank"]').and_(setup.locator('[value="16"]')).wait_for(state="attached")
    wait_for_plan(setup)
    assert field(setup, "lora.rank") == "16"


def test_what_does_not_fit_is_said_with_what_would(setup: Page) -> None:
    setup.locator(f'[name=base][value="{VOXTRAL_SMALL}"]').check()
    wait_until_said(setup, "This computer cannot do it this way.")
    assert "It would work with: " in setup.locator(".alternative").inner_text()  # with what is the machine's affair
    assert_accessible(setup)
    setup.get_by_role("button", name="Use this instead").click()
    wait_until_said(setup, "This computer can do it.")
    assert not setup.locator(f'[name=base][value="{VOXTRAL_SMALL}"]').is_checked()
    assert focused(setup) == "Teach the model"


def test_a_wrong_value_is_named(setup: Page) -> None:
    open_advanced(setup)
    setup.get_by_label("Blank out bands (SpecAugment)").check()
    setup.get_by_label("Scope").select_option("decoder")
    wait_until_said(setup, "Something is not right with these settings: Specaugment changes what the encoder hears")
    setup.get_by_label("Epochs", exact=True).fill("0")
    setup.get_by_role("button", name="Teach the model").click()
    assert focused(setup) == "field-epochs"
    assert setup.url.endswith("/train")


def test_a_recipe_comes_out_and_goes_in(setup: Page, tmp_path: Path) -> None:
    open_advanced(setup)
    setup.get_by_label("Seed").fill("7")
    with setup.expect_download() as download:
        setup.get_by_role("button", name="Save as a recipe file").click()
    recipe = tmp_path / download.value.suggested_filename
    download.value.save_as(recipe)
    saved = TrainingSettings.load(recipe)
    assert (saved.base_model, saved.seed, saved.batch_size) == ("tiny", 7, int(field(setup, "batch_size")))

    changed = yaml.safe_load(recipe.read_text()) | {"seed": 8, "dev": {"patience": 2}}
    recipe.write_text(yaml.safe_dump(changed))
    setup.get_by_label("Settings from a recipe file").set_input_files(recipe)
    wait_until_said(setup, "The settings of anna-recipe.yaml are filled in.")
    assert (field(setup, "seed"), field(setup, "dev.patience")) == ("8", "2")

    recipe.write_text("epochs: soon\n")
    setup.get_by_label("Settings from a recipe file").set_input_files(recipe)
    wait_until_said(setup, "Epochs: Input should be a valid integer")


def test_a_run_is_tried_again_with_its_settings(tab: Page, voice: VoiceFolder) -> None:
    run = trained_run(voice, seed=5, epochs=9)
    EventLog(run.events).emit(events.Failed(2, "the disk is full\nFree some space.", "disk_full"))
    tab.goto(f"/voices/anna/train?retry={run.path.name}")
    wait_for_plan(tab)
    assert "the disk is full" in tab.locator("section.problem").inner_text()
    assert (field(tab, "epochs"), field(tab, "seed"), field(tab, "lora.rank")) == ("9", "5", "4")
    assert_accessible(tab)


def test_too_few_recordings_are_counted(tab: Page, studio: Studio) -> None:
    make_voice(studio.voices / "bo", 4)
    tab.goto("/voices/bo/train")
    assert tab.get_by_text("6 recordings more are needed").is_visible()
    assert_accessible(tab)
    tab_onto(tab, "Record phrases")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/voices/bo/record")
