"""What the page does by itself, and only when asked: stop after silence, go on, leave silence out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from in_browser import MICROPHONE, Studio
from record_desk import CLIPS, RecordDesk

from ownvoice.data.audio import SAMPLE_RATE, load_audio

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

PAUSE, PHRASE, SILENCE = 1.5, 1.8, 6.0
"""Seconds of what the microphone hears: a quiet room, a phrase, and a quiet room again."""


@pytest.fixture(scope="module")
def microphone_browser(
    launch_chromium: Callable[..., Browser], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """One browser whose microphone hears one phrase, once, each time it is opened."""
    path = tmp_path_factory.mktemp("microphone") / "phrase.wav"
    phrase = max((load_audio(clip) for clip in sorted(CLIPS.glob("*.ogg"))[:20]), key=len)[
        : round(PHRASE * SAMPLE_RATE)
    ]
    room = (
        np.random.default_rng(0).normal(0, 0.0005, round((PAUSE + PHRASE + SILENCE) * SAMPLE_RATE)).astype(np.float32)
    )
    at = round(PAUSE * SAMPLE_RATE)
    room[at : at + len(phrase)] += phrase / np.abs(phrase).max() * 0.5
    soundfile.write(path, room, SAMPLE_RATE, subtype="PCM_16")
    browser = launch_chromium(*MICROPHONE, f"--use-file-for-fake-audio-capture={path}%noloop")
    yield browser
    browser.close()


def test_a_pause_ends_nothing_unless_asked(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "pause")
    desk.begin(PAUSE + PHRASE + 4)
    assert tab.locator("#single").get_attribute("data-condition") == "recording"
    desk.end()
    assert desk.part("place").inner_text().startswith("Phrase 1 ")


def test_stops_and_goes_on_when_asked_and_leaves_silence_out(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "by-itself")
    tab.locator("#pace-settings > summary").click()
    tab.get_by_label("Go to the next phrase by itself").check()
    tab.get_by_label("Stop recording by itself").select_option("2")
    desk.begin(0)
    desk.wait_to_hear("Stopped after silence.")
    desk.wait_to_hear("Phrase 2 of")
    desk.part("back").click()
    desk.wait_for("saved")
    desk.part("trim").click()
    desk.wait_to_hear("The silence is left out. The recording itself stays whole.")
    [utterance] = desk.utterances()
    assert utterance.trim is not None
    assert utterance.duration is not None
    assert utterance.trim[1] - utterance.trim[0] < utterance.duration - 1
    with tab.expect_response("**/audio?trimmed=1") as heard:
        desk.part("hear").click()
    assert heard.value.ok
    desk.part("trim").click()
    desk.wait_to_hear("The silence is taken in again.")
    assert desk.utterances()[0].trim is None
