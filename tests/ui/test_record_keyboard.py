"""The record page by keyboard alone: from the first page to ten recordings, true to what the microphone heard."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from in_browser import MICROPHONE, Studio, focused
from numpy.typing import NDArray
from record_desk import CLIPS, RecordDesk
from scipy.signal import correlate

from ownvoice.data.audio import SAMPLE_RATE, load_audio

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

PHRASES = 10
PIECE = SAMPLE_RATE // 4


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute and a half of somebody speaking, with short pauses."""
    path = tmp_path_factory.mktemp("microphone") / "speech.wav"
    pause = np.zeros(SAMPLE_RATE // 5, np.float32)
    parts = [part for clip in sorted(CLIPS.glob("*.ogg"))[:40] for part in (load_audio(clip), pause)]
    whole = np.concatenate(parts)[: 90 * SAMPLE_RATE]
    soundfile.write(path, whole / np.abs(whole).max() * 0.7, SAMPLE_RATE, subtype="PCM_16")
    return path


@pytest.fixture(scope="module")
def microphone_browser(launch_chromium: Callable[..., Browser], speech: Path) -> Iterator[Browser]:
    """One browser whose microphone hears ``speech`` from the moment it is opened."""
    browser = launch_chromium(*MICROPHONE, f"--use-file-for-fake-audio-capture={speech}%noloop")
    yield browser
    browser.close()


def tab_to(page: Page, what: str) -> None:
    """Press Tab until what has the focus begins with ``what``."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if focused(page).startswith(what):
            return
    raise AssertionError(f"no way to {what!r} by Tab")


def compare(take: NDArray[np.float32], source: NDArray[np.float32]) -> tuple[float, float]:
    """Correlation of ``take`` with what it was recorded from, and its level against it in dB; medians of its pieces.

    The made-up microphone of a browser that gets too little of the processor leaves sound out, so each quarter of a
    second is looked for by itself, near the place of the whole.
    """
    start = int(correlate(source, take, mode="valid", method="fft").argmax())
    near = source[max(0, start - SAMPLE_RATE) : start + len(take) + SAMPLE_RATE]
    pieces = [take[at : at + PIECE] for at in range(0, len(take) - PIECE, PIECE)]
    spoken = [piece for piece in pieces if np.abs(piece).max() > 0.05]
    found = [_compare_piece(piece, near) for piece in spoken]
    return float(np.median([correlation for correlation, _ in found])), float(np.median([level for _, level in found]))


def _compare_piece(piece: NDArray[np.float32], near: NDArray[np.float32]) -> tuple[float, float]:
    energy = np.maximum(correlate(near**2, np.ones_like(piece), mode="valid", method="fft"), 1e-3)
    at = int((correlate(near, piece, mode="valid", method="fft") / np.sqrt(energy)).argmax())
    heard = near[at : at + len(piece)]
    return float(np.corrcoef(piece, heard)[0, 1]), float(10 * np.log10(np.mean(piece**2) / np.mean(heard**2)))


def test_ten_phrases_from_the_first_page_by_keyboard_alone(tab: Page, studio: Studio, speech: Path) -> None:
    tab.goto("/")
    tab_to(tab, "Start reading")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/record")
    desk = RecordDesk(tab, studio, tab.url.split("/")[-2], make=False)
    tab_to(tab, "Record\n")  # the button with its key; the link to this page is "Record" alone
    for number in range(1, PHRASES + 1):
        tab.keyboard.press("Enter")
        desk.wait_for("recording")
        tab.wait_for_timeout(1500)
        tab.keyboard.press("Enter")
        desk.wait_for("saved")
        assert focused(tab).startswith("Record again"), "the focus stays where the person is"
        tab.keyboard.press("n")
        desk.wait_to_hear(f"Phrase {number + 1} of")
    utterances = desk.utterances()
    assert len({utterance.phrase_id for utterance in utterances}) == PHRASES
    assert subprocess.run([sys.executable, "-m", "ownvoice", "check", desk.voice.path], check=False).returncode == 0
    before = np.zeros(SAMPLE_RATE, np.float32)  # the first take begins before the microphone has its first sample
    source = np.concatenate([before, load_audio(speech)])
    for recording in desk.recordings():
        correlation, level = compare(load_audio(recording), source)
        assert correlation > 0.99
        assert abs(level) < 0.5
    assert len(desk.recordings()) == PHRASES


def test_keys_work_everywhere_but_in_a_field(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "keys")
    tab.keyboard.press("n")
    desk.wait_to_hear("Phrase 2 of")
    tab.keyboard.press("b")
    desk.wait_to_hear("Phrase 1 of")
    desk.part("reword").click()
    tab.keyboard.type("ran", delay=150)
    assert desk.part("own-words").input_value() == "ran"
    assert desk.part("place").inner_text().startswith("Phrase 1 ")
    assert desk.page.locator("#single").get_attribute("data-condition") == "todo"


def test_dictated_words_and_held_keys_press_nothing(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "dictation")
    tab.keyboard.type("runs and hands")  # all at once, as dictation does
    tab.wait_for_timeout(400)
    assert desk.part("place").inner_text().startswith("Phrase 1 ")
    assert desk.page.locator("#single").get_attribute("data-condition") == "todo"
    for _ in range(5):  # a key that is held repeats
        tab.keyboard.down("n")
    tab.keyboard.up("n")
    desk.wait_to_hear("Phrase 2 of")
    tab.wait_for_timeout(300)
    assert desk.part("place").inner_text().startswith("Phrase 2 ")


def test_keys_can_be_changed_and_be_off_and_stay_so(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "other-keys")
    tab.locator("#shortcuts > summary").click()
    change = tab.get_by_role("button", name="Change: Next phrase")
    change.click()
    desk.wait_to_hear("Press the new key for: Next phrase")
    tab.keyboard.press("r")
    desk.wait_to_hear("R is already used for: Record or stop")
    change.click()
    tab.keyboard.press("Alt+Shift+X")
    desk.wait_to_hear("Next phrase is now Alt+Shift+X")
    assert focused(tab) == "Change: Next phrase"
    desk.open()
    assert "Alt+Shift+X" in desk.part("next").inner_text()
    tab.keyboard.press("n")
    tab.wait_for_timeout(300)
    assert desk.part("place").inner_text().startswith("Phrase 1 ")
    tab.keyboard.press("Alt+Shift+X")
    desk.wait_to_hear("Phrase 2 of")
    tab.locator("#shortcuts > summary").click()
    tab.get_by_label("Use single keys").uncheck()
    tab.locator("#sound-settings > summary").focus()
    tab.keyboard.press("Alt+Shift+X")
    tab.wait_for_timeout(300)
    assert desk.part("place").inner_text().startswith("Phrase 2 ")
    assert tab.locator("#single kbd:visible").count() == 0
    kept = tab.evaluate("Object.keys(localStorage)")
    assert kept == ["ownvoice.record"]
    assert "phrase" not in tab.evaluate("localStorage['ownvoice.record']").lower()


def test_every_button_is_reached_and_named_as_it_reads(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "buttons")
    buttons = tab.locator("main button:visible")
    for button in buttons.all():
        seen = button.evaluate("b => (b.querySelector('.label') ?? b).textContent.trim()")
        assert tab.get_by_role("button", name=seen, exact=True).count() >= 1, seen
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
    record = desk.part("record").bounding_box()
    assert record is not None
    assert min(record["width"], record["height"]) >= 96
