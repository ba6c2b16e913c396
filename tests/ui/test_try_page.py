"""Trying a model: both models hear a recording, which is corrected, copied and kept; answers to questions;
dictation; what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from in_browser import MICROPHONE, Studio, announced, assert_accessible, focused, wait_until_said

from ownvoice.config import TINY, LoraSettings, TrainingSettings
from ownvoice.data.audio import SAMPLE_RATE, load_audio, write_wav
from ownvoice.data.phrases.free_speech import find_prompt
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.workflow.demo import SAMPLE_VOICE
from voices import make_voice

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CLIP = SAMPLE_VOICE / "clips" / "003.ogg"
SAID = "are you dizzy"
"""Words that the built-in model hears in the clip as it comes."""
OPEN_SECONDS = 120
"""Longest that loading takes on a busy machine."""


@pytest.fixture(scope="module")
def run(studio: Studio) -> RunFolder:
    """A run of the built-in model with an adapter that has not learned anything yet."""
    from ownvoice.model.adapters import add_lora
    from ownvoice.model.load import load_recogniser
    from ownvoice.training.keep import keep_best

    run = make_voice(studio.voices / "anna", 12).new_run()
    TrainingSettings(base_model=TINY, language="en").save(run.config)
    recogniser = load_recogniser(TINY)
    recogniser.adapter = add_lora(recogniser.model, "both", LoraSettings(rank=2), seed=0, base_name=TINY)
    keep_best(run, recogniser)
    return run


@pytest.fixture(scope="module")
def microphone_browser(
    launch_chromium: Callable[..., Browser], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """One browser whose microphone hears the clip again and again, with a second and a half of silence after each."""
    import numpy as np

    wav = tmp_path_factory.mktemp("microphone") / "clip.wav"
    write_wav(wav, np.concatenate([load_audio(CLIP), np.zeros(3 * SAMPLE_RATE // 2, np.float32)]))
    browser = launch_chromium(*MICROPHONE, f"--use-file-for-fake-audio-capture={wav}")
    yield browser
    browser.close()


@pytest.fixture
def page(tab: Page, run: RunFolder) -> Page:
    """The page with both models open."""
    tab.context.grant_permissions(["microphone", "clipboard-read", "clipboard-write"])
    tab.goto("/voices/anna/try")
    wait_until_said(tab, "The model listens.", OPEN_SECONDS)
    return tab


def test_a_recording_is_heard_by_both_corrected_and_kept(page: Page, run: RunFolder) -> None:
    assert_accessible(page)
    page.locator("#file").set_input_files(CLIP)
    wait_until_said(page, f"Now it heard: {SAID}", OPEN_SECONDS)
    page.locator("#base-text", has_text=SAID).wait_for(timeout=1000 * OPEN_SECONDS)
    assert page.locator("#said").input_value() == SAID
    assert_accessible(page)
    page.set_viewport_size({"width": 320, "height": 800})
    assert_accessible(page)

    page.get_by_role("button", name="Copy").nth(1).click()
    wait_until_said(page, "Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == SAID

    page.get_by_label("What you said").fill("Are you busy? " * 200)
    page.get_by_role("button", name="Add to my recordings").click()
    wait_until_said(page, "The text is longer than 2000 characters.")
    page.get_by_label("What you said").fill("Are you busy?")
    page.get_by_role("button", name="Add to my recordings").click()
    wait_until_said(page, "Saved with your recordings.")
    added = json.loads(run.voice.manifest.read_text().splitlines()[-1])
    assert added["text"] == "Are you busy?"
    kept, clip = load_audio(run.voice.path / added["audio_path"]), load_audio(CLIP)
    assert abs(kept.size - clip.size) < 0.05 * SAMPLE_RATE


def test_speech_is_recorded_and_heard(page: Page) -> None:
    page.locator("#record").focus()
    page.keyboard.press("Enter")
    wait_until_said(page, "Recording.")
    page.get_by_role("button", name="Stop", exact=True).wait_for()
    assert_accessible(page)
    page.wait_for_timeout(3000)
    page.keyboard.press("Enter")
    wait_until_said(page, "Now it heard: ", OPEN_SECONDS)
    assert page.locator("#tuned-text").inner_text() not in ("", "(nothing)")


def hear_at_once(page: Page, text: str) -> None:
    """Spare the models the listening, where it is not what a test is about."""
    page.route("**/hear?*", lambda route: route.fulfill(json={"text": text}))


def test_a_long_recording_is_kept_whole(page: Page, run: RunFolder, tmp_path: Path) -> None:
    import numpy as np

    hear_at_once(page, "long")
    write_wav(tmp_path / "long.wav", np.tile(load_audio(CLIP), 60)[: 120 * SAMPLE_RATE])
    page.locator("#file").set_input_files(tmp_path / "long.wav")
    wait_until_said(page, "Now it heard: long")
    page.get_by_role("button", name="Add to my recordings").click()
    wait_until_said(page, "Saved with your recordings.")
    added = json.loads(run.voice.manifest.read_text().splitlines()[-1])
    assert added["duration"] == pytest.approx(min(120, 60 * load_audio(CLIP).size / SAMPLE_RATE), abs=0.1)


def test_a_microphone_that_goes_away_leaves_what_was_said(page: Page) -> None:
    hear_at_once(page, "what was said")
    page.evaluate("""() => {
        const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (wanted) => (window.unplugged = await ask(wanted));
    }""")
    page.get_by_role("button", name="Record", exact=True).click()
    wait_until_said(page, "Recording.")
    page.wait_for_timeout(500)
    page.evaluate("unplugged.getAudioTracks()[0].dispatchEvent(new Event('ended'))")
    wait_until_said(page, "Now it heard: what was said")
    assert "unplugged" in page.locator("#problem").inner_text()


def manifest(run: RunFolder) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run.voice.manifest.read_text().splitlines()]


def answer_a_question(page: Page) -> str:
    """Open the questions and speak to the first; returns it."""
    page.get_by_text("Something to talk about").click()
    question = page.locator("#question").inner_text()
    page.get_by_role("button", name="Record", exact=True).click()
    wait_until_said(page, "Recording.")
    return question


def test_a_question_is_answered_freely_and_kept_with_its_draft(page: Page, run: RunFolder) -> None:
    hear_at_once(page, "i had toast")
    question = answer_a_question(page)
    assert_accessible(page)
    page.wait_for_timeout(1500)
    page.get_by_role("button", name="Stop", exact=True).click()
    wait_until_said(page, "Now it heard: i had toast")
    page.get_by_label("What you said").fill("I had two toasts, " * 200)
    page.get_by_role("button", name="Add to my recordings").click()
    wait_until_said(page, "The text is longer than 2000 characters.")
    page.get_by_label("What you said").fill("I had two toasts.")
    page.get_by_role("button", name="Add to my recordings").click()
    wait_until_said(page, "Saved with your recordings.")
    page.get_by_role("button", name="Add to my recordings").click()  # a second press adds nothing
    added = manifest(run)[-1]
    assert (added["text"], added["draft"], manifest(run)[-2].get("prompt")) == (
        "I had two toasts.",
        "i had toast",
        None,
    )
    asked = find_prompt(added["prompt"])
    assert asked is not None and asked.text == question and added["duration"] > 1
    assert page.locator("#question").inner_text() != question, "the next one is asked"
    page.reload()
    page.get_by_text("Something to talk about").click()
    seen = [page.locator("#question").inner_text()]
    while not page.locator("#drawing").is_visible():
        page.get_by_role("button", name="Another question").click()
        seen.append(page.locator("#question").inner_text())
    assert question not in seen
    assert page.evaluate("document.getElementById('drawing').decode()") is None
    assert "kitchen" in str(page.locator("#drawing").get_attribute("alt"))
    assert_accessible(page)
    page.set_viewport_size({"width": 320, "height": 800})
    assert_accessible(page)


def test_an_answer_that_is_refused_at_first_is_added_all_the_same(page: Page, run: RunFolder) -> None:
    hear_at_once(page, "i slept late")
    refusal = {"message": "50 recordings are unfinished", "where": None, "mend": "Keep or discard some of them first."}
    page.route("**/takes", lambda route: route.fulfill(status=422, json=refusal))
    answer_a_question(page)
    wait_until_said(page, "50 recordings are unfinished.")
    page.unroute("**/takes")
    page.wait_for_timeout(1500)
    page.get_by_role("button", name="Stop", exact=True).click()
    wait_until_said(page, "Now it heard: i slept late")
    page.get_by_role("button", name="Add to my recordings").click()
    wait_until_said(page, "Saved with your recordings.")
    assert manifest(run)[-1]["text"] == "i slept late" and manifest(run)[-1]["duration"] > 1


def test_an_answer_in_a_page_that_was_closed_waits_for_its_words(page: Page, run: RunFolder) -> None:
    before = len(manifest(run))
    question = answer_a_question(page)
    page.wait_for_timeout(2000)
    again = page.context.new_page()
    page.close()
    again.goto("/voices/anna/record")
    offer = again.locator("#unfinished")
    offer.get_by_text(f"Answer to: {question}").wait_for(timeout=20_000)
    assert_accessible(again)
    offer.get_by_role("button", name="Keep it").click()
    wait_until_said(again, "Nobody has written down what was said. Write it, then keep the recording.")
    assert len(manifest(run)) == before and focused(again) == "TEXTAREA"
    offer.get_by_label("What you said").fill("I slept late.")
    offer.get_by_role("button", name="Keep it").click()
    wait_until_said(again, "Kept. It is with your recordings.")
    (kept,) = manifest(run)[before:]
    again.get_by_text("Which phrases").click()
    again.get_by_role("link", name="Speak freely").click()
    again.locator("#question").wait_for(timeout=20_000)
    assert kept["text"] == "I slept late." and kept["duration"] > 1 and find_prompt(kept["prompt"]) is not None


def test_dictation_writes_phrase_by_phrase_until_it_is_stopped(page: Page) -> None:
    page.get_by_role("button", name="Start dictation").click()
    wait_until_said(page, "Dictation is on.")
    text = page.get_by_label("Text", exact=True)
    for _ in range(OPEN_SECONDS):
        page.wait_for_timeout(1000)
        if SAID in text.input_value():
            break
    assert SAID in text.input_value()
    assert_accessible(page)
    page.get_by_role("button", name="Stop dictation").click()
    wait_until_said(page, "Dictation is off.", OPEN_SECONDS)
    assert not any("lost" in said for said in announced(page))
    written = text.input_value()
    page.get_by_role("button", name="Clear").click()
    assert text.input_value() == ""
    page.get_by_role("button", name="Undo").click()
    assert text.input_value() == written
    page.on("dialog", lambda dialog: dialog.dismiss())
    with page.expect_event("dialog") as asked:  # a text that was copied nowhere is not lost by a slip
        page.evaluate("setTimeout(() => location.reload())")
    assert asked.value.type == "beforeunload"
    assert text.input_value() == written


def test_a_file_that_is_no_sound_is_refused_in_words(page: Page, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("no sound")
    page.locator("#file").set_input_files(tmp_path / "a.wav")
    wait_until_said(page, "This file cannot be read here.")
    assert_accessible(page)


def test_a_model_that_cannot_be_opened_says_why(tab: Page, run: RunFolder) -> None:
    broken = VoiceFolder(run.voice.path).new_run()
    TrainingSettings(base_model=TINY, language="en").save(broken.config)
    broken.adapter.mkdir()
    tab.goto(f"/voices/anna/try?run={broken.path.name}")
    wait_until_said(tab, "The model could not be opened:", OPEN_SECONDS)
    assert tab.get_by_role("button", name="Try again").is_visible()
    assert_accessible(tab)
