"""Choosing what to read on the record page, putting phrases aside, and bringing one's own, as a person does it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from in_browser import Studio, assert_accessible, focused, tab_onto
from record_desk import PATIENCE, RecordDesk

from ownvoice.data.phrase_marks import read_marks
from ownvoice.data.phrases import load_bank
from ownvoice.data.phrases.next_up import next_phrases
from ownvoice.data.phrases.own import own_phrases
from ownvoice.data.voice_settings import read_voice_settings
from ownvoice.rundir import RunFolder, VoiceFolder

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

BANK = load_bank("en")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A server that kept nothing of Granary and has no network to fetch it with."""
    folder = tmp_path_factory.mktemp("studio")
    server = Studio(folder, environment={"HF_ENDPOINT": "http://127.0.0.1:9", "XDG_CACHE_HOME": str(folder / "cache")})
    yield server
    server.kill()


def open_pickers(tab: Page) -> None:
    tab.locator("#pickers > summary").click()


def words_shown(desk: RecordDesk, text: str) -> None:
    desk.page.locator("#single [data-part=words]", has_text=re.compile(f"^{re.escape(text)}$")).wait_for(
        timeout=PATIENCE
    )


def make_judged(voice: VoiceFolder) -> None:
    """An evaluation in which one word was not understood."""
    run = RunFolder(voice.runs / "judged")
    run.path.mkdir(parents=True)
    run.config.write_text("{}")
    edits = [{"kind": "replace", "reference": "doctor"}, {"kind": "equal", "reference": "the"}]
    run.evaluation_json.write_text(json.dumps({"phrases": [{"tuned": {"edits": edits}}]}))


def test_phrases_are_found_by_keyboard_and_the_page_keeps_the_choice(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "search")
    found = [phrase for phrase in BANK if phrase.topic == "health" and "doctor" in phrase.text.lower()]
    assert len(found) > 1
    assert not tab.locator("#pick-search").is_visible(), "closed until somebody wants it"
    tab_onto(tab, "Which phrases")
    tab.keyboard.press("Enter")
    assert_accessible(tab)
    tab.locator("#pick-topic").select_option(label="Health")
    tab_onto(tab, "pick-search")
    tab.keyboard.type("DOCTOR")
    tab.keyboard.press("Enter")
    desk.wait_to_hear(f"{len(found)} phrases. Phrase 1 of {len(found)}. {found[0].text}")
    words_shown(desk, found[0].text)
    assert focused(tab) == "pick-search", "the focus stays where the person is"
    tab.reload()
    words_shown(desk, found[0].text)
    open_pickers(tab)
    assert tab.locator("#pick-search").input_value() == "DOCTOR"
    tab.locator("#pick-search").fill("no such words")
    tab.get_by_role("button", name="Show these phrases").click()
    desk.wait_to_hear("No phrase fits this choice.")
    words_shown(desk, found[0].text)
    tab.get_by_label("List", exact=True).check()
    tab.locator("#pick-search").fill("")
    tab.locator("#pick-topic").select_option("places")
    tab.get_by_role("button", name="Show these phrases").click()
    first = next(phrase for phrase in BANK if phrase.topic == "places")
    tab.locator("#list [data-part=words]").first.filter(has_text=first.text).wait_for(timeout=PATIENCE)
    assert tab.locator("#list ol > li").count() == 10


def test_a_phrase_is_starred_hidden_or_too_hard_and_each_is_taken_back(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "marks")
    open_pickers(tab)
    marks = tab.locator("#pickers [data-part=marks]")
    first, second = BANK[0], BANK[1]
    for button in marks.get_by_role("button").all():
        box = button.bounding_box()
        assert box is not None and min(box["width"], box["height"]) >= 44
    marks.get_by_role("button", name="Give it a star").press("Enter")
    desk.wait_to_hear("It has a star.")
    assert read_marks(desk.voice).starred == {first.id}
    marks.get_by_role("button", name="Undo star").click()
    desk.wait_to_hear("Undone.")
    assert read_marks(desk.voice).starred == set()
    for name, said, state in [("Hide it", "Hidden.", "hidden"), ("Too hard for me", "It will not be", "too_hard")]:
        marks.get_by_role("button", name=name).press("Enter")
        desk.wait_to_hear(said)
        words_shown(desk, second.text)
        assert focused(tab) == name
        assert read_marks(desk.voice).of(state) == {first.id}  # type: ignore[arg-type]
        tab.keyboard.press("u")
        desk.wait_to_hear("Undone.")
        words_shown(desk, first.text)
        assert read_marks(desk.voice).states == {}
    marks.get_by_role("button", name="Hide it").click()
    desk.wait_to_hear("Hidden.")
    seen = [desk.part("words").inner_text()]
    for number in range(3, 16):  # over the end of what was fetched at first: none is missed, none comes twice
        tab.keyboard.press("n")
        desk.wait_to_hear(f"Phrase {number} of")
        seen.append(desk.part("words").inner_text())
    assert seen == [phrase.text for phrase in BANK[1:15]]
    desk.open()
    words_shown(desk, second.text)


def test_hiding_among_the_starred_misses_none(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "stars")
    wanted = BANK[:40:3]
    for phrase in wanted:
        answer = tab.request.post(
            f"{studio.url}/voices/stars/phrases/{phrase.id}/state",
            data={"state": "starred"},
            headers={"origin": studio.url},
        )
        assert answer.ok
    open_pickers(tab)
    tab.get_by_label("Only those with a star").check()
    tab.get_by_role("button", name="Show these phrases").click()
    desk.wait_to_hear(f"{len(wanted)} phrases.")
    tab.locator("#pickers").get_by_role("button", name="Hide it").click()
    desk.wait_to_hear("Hidden.")
    seen = [desk.part("words").inner_text()]
    for number in range(3, len(wanted) + 1):
        tab.keyboard.press("n")
        desk.wait_to_hear(f"Phrase {number} of {len(wanted)}")
        seen.append(desk.part("words").inner_text())
    assert seen == [phrase.text for phrase in wanted[1:]]
    tab.keyboard.press("n")
    desk.wait_to_hear("This is the last phrase.")


def test_names_and_a_text_of_ones_own_are_read_next(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "own")
    open_pickers(tab)
    assert tab.locator("#pick-source option[value=own]").count() == 0
    tab.get_by_label("What you add").select_option(label="Names of people")
    tab.get_by_label("Write or paste it here").fill("Ngozi Adeyemi\nSiobhán")
    tab.get_by_role("button", name="Add and show them").press("Enter")
    desk.wait_to_hear("8 new phrases were added. 8 phrases. Phrase 1 of 8.")
    assert {phrase.about for phrase in own_phrases(desk.voice)} == {"Ngozi Adeyemi", "Siobhán"}
    words_shown(desk, own_phrases(desk.voice)[0].text)
    assert focused(tab) == "Add and show them"
    desk.take()
    assert desk.utterances()[0].phrase_id == own_phrases(desk.voice)[0].id
    tab.get_by_label("What you add").select_option("text")
    tab.get_by_label("Write or paste it here").fill("Tea with milk.\nGood night, all.")
    tab.get_by_role("button", name="Add and show them").click()
    desk.wait_to_hear("2 new phrases were added. 10 phrases. Phrase 2 of 10.")
    assert_accessible(tab)
    tab.get_by_label("Write or paste it here").fill(" ... ")
    tab.get_by_role("button", name="Add and show them").click()
    desk.wait_to_hear("There are no words in it.")


def test_granary_out_of_reach_is_said_and_nothing_stands_in_for_it(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "granary")
    desk.take()
    open_pickers(tab)
    tab.get_by_label("Where they come from").select_option(label="Sentences of other people (NVIDIA Granary)")
    assert not tab.get_by_label("Topic").is_visible(), "only the built-in phrases have topics"
    tab.get_by_role("button", name="Show these phrases").click()
    desk.wait_to_hear("The built-in phrases need no network.")
    assert "need no network" in tab.locator("#pickers [data-part=chosen]").inner_text()
    words_shown(desk, BANK[0].text)
    assert "source" not in tab.url


def test_phrases_of_another_language_are_recorded_in_it(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "bilingual")
    open_pickers(tab)
    tab.get_by_label("Language", exact=True).select_option(label="Hindi")
    assert tab.locator("#pick-source option[value=granary]").is_disabled(), "Granary has no Hindi"
    tab.get_by_role("button", name="Show these phrases").click()
    first = load_bank("hi")[0]
    desk.wait_to_hear(first.text)
    words_shown(desk, first.text)
    assert desk.part("words").get_attribute("lang") == "hi"
    desk.take()
    tab.reload()
    words_shown(desk, load_bank("hi")[1].text)
    [utterance] = desk.utterances()
    assert (utterance.language, utterance.phrase_id, utterance.text) == ("hi", first.id, first.text)
    assert read_voice_settings(desk.voice).language == "en", "the voice stays as it is"


def test_where_ownvoice_has_no_phrases_ones_own_can_be_brought(tab: Page, studio: Studio) -> None:
    made = tab.request.post(
        f"{studio.url}/voices", data={"name": "polski", "language": "pl"}, headers={"origin": studio.url}
    )
    assert made.status == 201
    tab.goto("/voices/polski/record")
    tab.locator("#no-phrases").wait_for(timeout=PATIENCE)
    assert_accessible(tab)
    tab.get_by_label("Write or paste it here").fill("Dobry wieczór.")
    tab.get_by_role("button", name="Add and show them").click()
    desk_words = tab.locator("#single [data-part=words]", has_text="Dobry wieczór.")
    desk_words.wait_for(timeout=PATIENCE)
    assert tab.locator("#pickers").get_attribute("open") is None


def test_what_the_model_gets_wrong_is_offered_once_it_was_judged(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "judged")
    assert tab.get_by_label("What the model gets wrong").count() == 0
    make_judged(desk.voice)
    desk.open()
    open_pickers(tab)
    tab.get_by_label("What the model gets wrong most first").check()
    tab.get_by_role("button", name="Show these phrases").click()
    desk.wait_to_hear("50 phrases.")
    first = next_phrases(desk.voice, BANK, "en", 1, by_errors=True).phrases[0]
    assert first != BANK[0]
    words_shown(desk, first.text)
