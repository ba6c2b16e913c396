"""The recordings page: heard, corrected, left out and taken in again, mended by a click, taken along; all undoable."""

from __future__ import annotations

import io
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np
import pytest
import soundfile
from in_browser import Studio, assert_accessible, focused, tab_onto, wait_until_said

from ownvoice.data.audio import write_wav
from ownvoice.data.manifest import append_utterances, read_manifest, revise_utterance
from ownvoice.data.utterance import Utterance, utterance_id
from ownvoice.rundir import VoiceFolder
from small_voxtral import murmur
from voices import make_voice

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser


@pytest.fixture
def make(studio: Studio, request: pytest.FixtureRequest) -> Callable[[int], VoiceFolder]:
    """Makes a voice with so many recordings, named after the test."""
    return lambda utterances: make_voice(studio.voices / request.node.name[:60], utterances)


def open_page(tab: Page, voice: VoiceFolder) -> None:
    tab.goto(f"/voices/{voice.path.name}/dataset")
    tab.locator("#rows li").first.wait_for()


def row(tab: Page, text: str) -> Locator:
    return tab.locator("#rows li", has_text=text)


def add_with_silence(voice: VoiceFolder) -> None:
    """A recording that says "good morning" after three seconds of silence."""
    silence = np.zeros(3 * 16000, np.float32)
    write_wav(voice.path / "wavs" / "long.wav", np.concatenate([silence, murmur(0.9, seed=99)]))
    append_utterances(voice, [Utterance("wavs/long.wav", "good morning", duration=3.9)])


def get(studio: Studio, path: str, **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(studio.url + path, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def seconds_of(wav: bytes) -> float:
    return float(soundfile.info(io.BytesIO(wav)).duration)


def test_recordings_whose_table_is_gone_are_not_called_nothing(tab: Page, studio: Studio) -> None:
    voice = make_voice(studio.voices / "tableless", 2)
    voice.manifest.unlink()
    tab.goto("/")
    card = tab.locator(".voice", has_text=voice.path.name)
    assert "2 recordings are there that cannot be listed. They are kept" in card.inner_text()
    card.get_by_role("link", name="Recordings").click()
    tab.get_by_text("No recording can be listed.").wait_for()
    assert tab.locator("#findings li", has_text="wavs/0001.wav").is_visible()
    assert_accessible(tab)
    tab.get_by_role("link", name="Bring it in again with its words").first.click()
    tab.wait_for_url("**/upload")


@pytest.mark.parametrize("width", [320, 1100])
def test_it_is_accessible_in_every_state(
    tab: Page, studio: Studio, make: Callable[[int], VoiceFolder], width: int
) -> None:
    tab.set_viewport_size({"width": width, "height": 800})
    tab.emulate_media(color_scheme="dark" if width == 320 else "light")
    empty = studio.voices / f"empty-{width}"
    empty.mkdir(parents=True)
    tab.goto(f"/voices/{empty.name}/dataset")
    tab.get_by_text("Nothing is recorded yet.").wait_for()
    assert_accessible(tab)
    voice = make(12)
    add_with_silence(voice)
    revise_utterance(voice, "wavs/0012.wav", excluded=True, trim=(0.1, 0.8))
    with voice.manifest.open("a") as manifest:
        manifest.write("{broken\n")
    open_page(tab, voice)
    tab.get_by_text("data.jsonl: is not JSON").wait_for()
    row(tab, "good morning").get_by_role("button", name="Change words").click()
    tab.locator("#export summary").click()
    assert_accessible(tab)


def test_words_are_changed_and_recordings_left_out_by_keyboard_and_each_is_undone(
    tab: Page, make: Callable[[int], VoiceFolder]
) -> None:
    voice = make(12)
    before = [(utterance.text, utterance.excluded) for utterance in read_manifest(voice).everything]
    last = before[-1][0]
    open_page(tab, voice)
    tab_onto(tab, "Change words")
    tab.keyboard.press("Enter")
    tab.keyboard.press("Control+A")
    tab.keyboard.type("Something else")
    tab_onto(tab, "Use these words")
    tab.keyboard.press("Enter")
    wait_until_said(tab, "The words are changed: Something else")
    assert focused(tab).startswith("Change words")
    tab_onto(tab, "Leave out")
    tab.keyboard.press("Enter")
    wait_until_said(tab, "Left out: Something else")
    assert focused(tab).startswith("Take in again")
    changed = read_manifest(voice).everything[-1]
    assert (changed.text, changed.excluded) == ("Something else", True)
    tab.get_by_text("11 recordings").wait_for()
    undo = tab.get_by_role("button", name="Undo", exact=True)
    undo.press("Enter")
    wait_until_said(tab, "Undone: Something else")
    assert read_manifest(voice).everything[-1].excluded is False
    assert focused(tab) == "undo"
    undo.press("Enter")
    wait_until_said(tab, f"Undone: {last}")
    assert [(utterance.text, utterance.excluded) for utterance in read_manifest(voice).everything] == before
    undo.press("Enter")
    wait_until_said(tab, "There is nothing to undo.")


def test_silence_is_cut_by_one_click_and_the_recording_stays_whole(
    tab: Page, studio: Studio, make: Callable[[int], VoiceFolder]
) -> None:
    voice = make(12)
    add_with_silence(voice)
    open_page(tab, voice)
    tab.locator("#findings").get_by_role("button", name="Leave out the silence good morning").press("Enter")
    wait_until_said(tab, "The silence is left out: good morning")
    tab.get_by_text("Nothing to mend was found.").wait_for()
    assert focused(tab) == "findings-title", "what had the focus is mended, and gone"
    address = f"/voices/{voice.path.name}/utterances/{quote('wavs/long.wav', safe='')}/audio"
    whole, cut = get(studio, address)[1], get(studio, address + "?trimmed=1")[1]
    assert seconds_of(whole) == 3.9
    assert seconds_of(cut) == pytest.approx(1.3, abs=0.1)
    long = row(tab, "good morning")
    long.get_by_role("button", name="Take the silence in again").click()
    wait_until_said(tab, "The silence is taken in again: good morning")
    assert read_manifest(voice).everything[-1].trim is None


def test_a_recording_is_played_found_and_recorded_again(tab: Page, make: Callable[[int], VoiceFolder]) -> None:
    voice = make(60)
    append_utterances(voice, [Utterance("wavs/0001.wav", "Où est le café?", id="a b/ç?", duration=0.9)])
    open_page(tab, voice)
    assert tab.locator("#rows li").count() == 50
    tab.get_by_role("button", name="Later ones").press("Enter")
    wait_until_said(tab, "51 to 61 of 61")
    assert focused(tab) == "list-title"
    assert tab.locator("#rows li").count() == 11
    tab.get_by_label("Search in the words").fill("cafe")
    wait_until_said(tab, "1 to 1 of 1")
    found = row(tab, "Où est le café?")
    with tab.expect_response("**/audio?trimmed=1") as answer:
        found.get_by_role("button", name="Play").click()
    assert answer.value.ok
    found.get_by_role("button", name="Stop").or_(found.get_by_role("button", name="Play")).wait_for()
    found.get_by_role("button", name="Leave out").click()
    wait_until_said(tab, "Left out: Où est le café?")
    link = found.get_by_role("link", name="Record again").get_attribute("href")
    assert link == f"/voices/{voice.path.name}/record?again={quote('a b/ç?', safe='')}"


def test_a_recording_made_anew_takes_the_place_of_the_old_one(tab: Page, make: Callable[[int], VoiceFolder]) -> None:
    voice = make(12)
    open_page(tab, voice)
    old = read_manifest(voice).utterances[-1]
    row(tab, old.text).get_by_role("link", name="Record again").click()
    tab.wait_for_url("**/record?again=*")
    tab.locator("#single[data-condition=saved]").wait_for()
    assert old.text in tab.locator("#single").inner_text()
    tab.locator("#single [data-part=record]").click()
    tab.locator("#single[data-condition=recording]").wait_for()
    tab.wait_for_timeout(1000)
    tab.locator("#single [data-part=record]").click()
    tab.locator("#single[data-condition=saved]").wait_for()
    before, new = read_manifest(voice).everything[-2:]
    assert (before.audio_path, before.excluded) == (old.audio_path, True)
    assert (new.text, new.replaces, new.excluded) == (old.text, utterance_id(old), False)


def test_a_copy_comes_back_in_by_import(tab: Page, tmp_path: Path, make: Callable[[int], VoiceFolder]) -> None:
    voice = make(12)
    revise_utterance(voice, "wavs/0003.wav", excluded=True)
    open_page(tab, voice)
    tab.locator("#export summary").click()
    with tab.expect_download() as download:
        tab.get_by_role("link", name="Download a zip").click()
    download.value.save_as(tmp_path / "copy.zip")
    tab.get_by_role("button", name="Write a folder").press("Enter")
    wait_until_said(tab, "The copy is in this folder: ")
    [folder] = voice.exports.iterdir()
    assert str(folder) in tab.locator("#exported").inner_text()
    for number, source in enumerate((tmp_path / "copy.zip", folder)):
        copy = VoiceFolder(tmp_path / f"copy-{number}")
        command = [sys.executable, "-m", "ownvoice", "import", str(source), str(copy.path)]
        subprocess.run(command, check=True, capture_output=True)
        texts = [utterance.text for utterance in read_manifest(copy).utterances]
        assert texts == [utterance.text for utterance in read_manifest(voice).utterances]
        assert len(texts) == 11


def test_a_recording_is_reached_through_its_own_voice_alone(studio: Studio, make: Callable[[int], VoiceFolder]) -> None:
    voice = make(12)
    (voice.path / "private.wav").write_bytes(b"not to be had")
    (studio.voices / "stranger").mkdir()
    home = f"/voices/{voice.path.name}/utterances"
    name = quote(utterance_id(read_manifest(voice).utterances[0]), safe="")
    status, part = get(studio, f"{home}/{name}/audio", range="bytes=0-9")
    assert (status, len(part)) == (206, 10)
    for wrong in (
        f"/voices/stranger/utterances/{name}/audio",
        f"{home}/private.wav/audio",
        f"{home}/..%2Fprivate.wav/audio",
        f"{home}/%2e%2e%2f%2e%2e%2f{voice.path.name}%2fprivate.wav/audio",
        f"{home}/%2Fetc%2Fpasswd/audio",
        f"/voices/..%2F{studio.voices.name}/utterances",
        "/voices/.trash/utterances",
        "/voices/%2e%2e/export.zip",
    ):
        assert get(studio, wrong)[0] == 404, wrong
    (voice.wavs / "0001.wav").unlink()
    (voice.wavs / "0001.wav").symlink_to("/etc/passwd")
    assert get(studio, f"{home}/{name}/audio")[0] == 404, "a link out of the voice is no recording"
