"""Files of one's own: brought in, matched where the person sees it, and only then saved, once, whatever happens."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from in_browser import Studio, announced, assert_accessible, focused, tab_onto, wait_until_said

from ownvoice.config import TrainingSettings, VoiceSettings
from ownvoice.data.check import check_voice
from ownvoice.data.manifest import read_manifest
from ownvoice.data.voice_settings import write_voice_settings
from ownvoice.model.source import TINY_WEIGHTS
from ownvoice.rundir import VoiceFolder
from small_voxtral import murmur
from sources import put, record

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

CLIPS = TINY_WEIGHTS.parent / "sample_voice" / "clips"


@pytest.fixture
def voice(studio: Studio, request: pytest.FixtureRequest) -> VoiceFolder:
    """A voice without recordings, named after the test."""
    voice = VoiceFolder(studio.voices / request.node.name[:60])
    voice.path.mkdir(parents=True)
    write_voice_settings(voice, VoiceSettings())
    return voice


@pytest.fixture
def three(tmp_path: Path) -> list[Path]:
    return [record(tmp_path / f"{name}.wav", number, seconds=0.8) for number, name in enumerate("abc")]


def open_page(tab: Page, voice: VoiceFolder) -> None:
    tab.goto(f"/voices/{voice.path.name}/upload")
    tab.wait_for_load_state("networkidle")


def arrivals(tab: Page) -> int:
    """How often the page said that files are here."""
    return sum(said.endswith(" here.") for said in announced(tab))


def choose(tab: Page, files: list[Path], press: Callable[[], None] | None = None) -> None:
    """Choose files as a person does, by the button, and wait until all are here."""
    before = arrivals(tab)
    with tab.expect_file_chooser() as chooser:
        (press or tab.get_by_role("button", name="Choose files").click)()
    chooser.value.set_files([str(file) for file in files])
    while arrivals(tab) == before:
        tab.wait_for_timeout(50)


def states(tab: Page) -> dict[str, str]:
    """What each row of the page says of its file."""
    rows = tab.locator(".file")
    return {
        row.locator("h3").inner_text().split(". ", 1)[1]: row.locator("[data-part=state]").inner_text()
        for row in rows.all()
    }


def phone_recording(path: Path, codec: str, seed: int) -> Path:
    """A second of murmuring as a phone's recorder saves it."""
    samples = murmur(1.0, seed=seed)
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.repeat(samples, 3)[None], format="fltp", layout="mono")
        frame.sample_rate = 48000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return path


def send(studio: Studio, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Ask the server as another program does; bytes go as they are."""
    raw = isinstance(body, bytes)
    data = body if raw else None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(studio.url + path, data, method=method)
    request.add_header("origin", studio.url)
    request.add_header("content-type", "application/octet-stream" if raw else "application/json")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def bring(studio: Studio, voice: VoiceFolder, files: list[Path]) -> str:
    """Bring files in without a browser; returns the batch's address."""
    home = f"/voices/{voice.path.name}/uploads"
    batch = f"{home}/{send(studio, 'POST', home)[1]['upload']}"
    names = [{"name": file.name, "size": file.stat().st_size} for file in files]
    _, answer = send(studio, "POST", f"{batch}/files", {"files": names})
    for file, made in zip(files, answer["files"], strict=True):
        assert send(studio, "PUT", f"{batch}/files/{made['file']}?at=0", file.read_bytes())[0] == 200
    return batch


def test_three_files_from_the_first_page_to_the_recordings_by_keyboard_alone(
    tab: Page, studio: Studio, three: list[Path]
) -> None:
    tab.on("filechooser", lambda chooser: None)  # watched for from here on: from the key press on, it may be too late
    tab.goto("/")
    tab_onto(tab, "I have recordings already")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/upload")
    tab.wait_for_load_state("networkidle")
    tab_onto(tab, "choose-files")
    choose(tab, three, lambda: tab.keyboard.press("Enter"))
    wait_until_said(tab, "3 files are being brought in")
    wait_until_said(tab, "3 files are here")
    assert focused(tab) == "choose-files", "the focus stays where the person is"
    assert states(tab) == dict.fromkeys(("a.wav", "b.wav", "c.wav"), "Words are missing")

    tab_onto(tab, "paste")
    tab.keyboard.type("Good morning\nI want tea")
    tab_onto(tab, "do-paste")
    tab.keyboard.press("Enter")
    wait_until_said(tab, "No line yet for: c.wav")
    assert focused(tab) == "paste"
    assert_accessible(tab)
    tab.keyboard.press("Control+End")
    tab.keyboard.type("\nOpen the window")
    tab_onto(tab, "do-paste")
    tab.keyboard.press("Enter")
    wait_until_said(tab, "3 lines were put in")
    assert focused(tab) == "save", "the field that had the focus is gone; the next step has it"
    assert states(tab) == dict.fromkeys(("a.wav", "b.wav", "c.wav"), "Ready")

    tab.keyboard.press("Enter")
    wait_until_said(tab, "3 recordings are saved.")
    assert focused(tab) == "done-title"
    voice = VoiceFolder(studio.voices / tab.url.split("/")[-2])
    assert [row.text for row in read_manifest(voice).utterances] == ["Good morning", "I want tea", "Open the window"]
    assert [problem for problem in check_voice(voice) if problem.severity == "error"] == []
    assert list(voice.uploads.iterdir()) == []
    tab_onto(tab, "See the recordings")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/dataset")
    tab.locator("#rows li").nth(2).wait_for()


@pytest.mark.parametrize("width", [320, 1100])
def test_it_is_accessible_in_every_state(
    tab: Page, tmp_path: Path, voice: VoiceFolder, three: list[Path], width: int
) -> None:
    tab.set_viewport_size({"width": width, "height": 800})
    tab.emulate_media(color_scheme="dark" if width == 320 else "light", reduced_motion="reduce")
    open_page(tab, voice)
    assert_accessible(tab)
    files = [put(tmp_path / "d.m4a", "no sound"), put(tmp_path / "x.docx", "no words"), put(tmp_path / "b.txt", "Tea")]
    choose(tab, [*three, *files, put(tmp_path / "e.txt", "nobody's words")])
    wait_until_said(tab, "Not taken: x.docx: is neither a recording nor words")
    assert states(tab)["d.m4a"].startswith("Cannot be used: is not an audio file")
    assert "e.txt: has no recording" in tab.locator("#text-problems").inner_text()
    assert_accessible(tab)
    tab.locator("#save").press("Enter")
    wait_until_said(tab, "Not ready yet: a.wav, c.wav, d.m4a")
    assert focused(tab) == "words-1", "the first that needs something has the focus"
    tab.get_by_role("button", name="Throw these files away").press("Enter")
    assert_accessible(tab)
    tab.get_by_role("button", name="Yes, throw them away").press("Enter")
    wait_until_said(tab, "The files are thrown away.")
    assert focused(tab) == "choose-files"
    assert list(voice.uploads.iterdir()) == []


def test_recordings_of_a_phone_with_words_beside_them(tab: Page, tmp_path: Path, voice: VoiceFolder) -> None:
    files = [phone_recording(tmp_path / "memo.m4a", "aac", 1), phone_recording(tmp_path / "note.webm", "libopus", 2)]
    open_page(tab, voice)
    choose(
        tab, [*files, put(tmp_path / "memo.txt", "Call the doctor\n"), put(tmp_path / "note.TXT", "Où est le café?")]
    )
    assert states(tab) == {"memo.m4a": "Ready", "note.webm": "Ready"}
    assert_accessible(tab)
    tab.get_by_role("button", name="Play note.webm").click()
    tab.get_by_role("button", name="Stop note.webm").click()
    tab.get_by_role("button", name="Save 2 recordings").click()
    wait_until_said(tab, "2 recordings are saved.")
    saved = read_manifest(voice).utterances
    assert [(row.text, row.source) for row in saved] == [
        ("Call the doctor", "upload/memo.m4a"),
        ("Où est le café?", "upload/note.webm"),
    ]
    assert [row.duration for row in saved] == [pytest.approx(1.0, abs=0.1)] * 2


def test_words_from_a_table_are_corrected_by_hand_and_a_file_is_left_out(
    tab: Page, tmp_path: Path, voice: VoiceFolder, three: list[Path]
) -> None:
    open_page(tab, voice)
    choose(tab, [*three, put(tmp_path / "words.csv", "file,text\na.wav,One\nb.wav,Two\nc.wav,Three\nd.wav,Four\n")])
    assert "d.wav, line 5: there is no such file" in tab.locator("#text-problems").inner_text()
    tab.get_by_label("What is said in b.wav").fill("Two and a half")
    tab.get_by_label("What is said in b.wav").press("Tab")
    tab.get_by_role("button", name="Leave out c.wav").press("Enter")
    wait_until_said(tab, "c.wav is left out.")
    assert focused(tab).startswith("Take in again")
    tab.get_by_role("button", name="Save 2 recordings").click()
    wait_until_said(tab, "2 recordings are saved.")
    assert [row.text for row in read_manifest(voice).utterances] == ["One", "Two and a half"]


def test_words_can_be_written_with_pauses(tab: Page, voice: VoiceFolder, three: list[Path]) -> None:
    open_page(tab, voice)
    choose(tab, three[:1])
    field = tab.get_by_label("What is said in a.wav")
    field.press_sequentially("Good ")
    tab.get_by_text("Ready", exact=True).wait_for()  # kept meanwhile, and left as it is being written
    field.press_sequentially("  morning")
    assert field.input_value() == "Good   morning"
    tab.get_by_role("button", name="Save 1 recording").click()
    wait_until_said(tab, "1 recording is saved.")
    assert [row.text for row in read_manifest(voice).utterances] == ["Good morning"]


def test_a_server_killed_between_matching_and_saving_loses_and_doubles_nothing(
    tab: Page, studio: Studio, voice: VoiceFolder, three: list[Path]
) -> None:
    open_page(tab, voice)
    choose(tab, three)
    tab.locator("#paste").fill("one\ntwo\nthree")
    tab.locator("#do-paste").click()
    wait_until_said(tab, "3 lines were put in")
    studio.kill()
    tab.locator("#save").click()
    wait_until_said(tab, "The connection to ownvoice is lost.")
    studio.start()
    tab.reload()
    tab.get_by_text("These files were brought in before and are not saved yet.").wait_for()
    assert tab.get_by_label("What is said in c.wav").input_value() == "three"
    studio.kill()
    tab.get_by_label("What is said in c.wav").fill("three and a half")
    tab.keyboard.press("Tab")
    wait_until_said(tab, "The connection to ownvoice is lost.")
    studio.start()
    tab.get_by_role("button", name="Save 3 recordings").click()
    wait_until_said(tab, "3 recordings are saved.")
    assert [row.text for row in read_manifest(voice).utterances] == ["one", "two", "three and a half"]


def test_a_server_killed_while_saving_doubles_nothing(studio: Studio, tmp_path: Path, voice: VoiceFolder) -> None:
    files = [record(tmp_path / f"{number}.wav", number) for number in range(12)]
    batch = bring(studio, voice, files)
    send(studio, "POST", f"{batch}/words", {"lines": "\n".join(f"phrase {number}" for number in range(12))})
    for moment in (0.02, 0.05, 0.1):
        saving = threading.Thread(target=save_until_killed, args=(studio, batch))
        saving.start()
        time.sleep(moment)
        studio.kill()
        saving.join()
        studio.start()
    if voice.uploads.is_dir() and list(voice.uploads.iterdir()):
        assert send(studio, "POST", f"{batch}/save", {})[0] == 200
    saved = read_manifest(voice).utterances
    assert sorted(row.text for row in saved) == sorted(f"phrase {number}" for number in range(12))
    assert [problem.kind for problem in check_voice(voice) if problem.severity == "error"] == []


def save_until_killed(studio: Studio, batch: str) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException):
        send(studio, "POST", f"{batch}/save", {})


def test_an_interrupted_file_goes_on_when_it_is_chosen_again(
    tab: Page, studio: Studio, voice: VoiceFolder, three: list[Path]
) -> None:
    home = f"/voices/{voice.path.name}/uploads"
    batch = f"{home}/{send(studio, 'POST', home)[1]['upload']}"
    data = three[0].read_bytes()
    send(studio, "POST", f"{batch}/files", {"files": [{"name": "a.wav", "size": len(data)}]})
    assert send(studio, "PUT", f"{batch}/files/1?at=0", data[:5000]) == (200, {"stored": 5000})
    assert send(studio, "PUT", f"{batch}/files/1?at=9000", data[9000:]) == (409, {"stored": 5000})
    open_page(tab, voice)
    tab.get_by_text("Choose the same files again to go on.").wait_for()
    choose(tab, three[:1])
    assert states(tab) == {"a.wav": "Words are missing"}


def test_a_batch_is_reached_through_its_own_voice_alone(studio: Studio, voice: VoiceFolder, three: list[Path]) -> None:
    batch = bring(studio, voice, three)
    other = VoiceFolder(studio.voices / "somebody-else")
    other.path.mkdir()
    name = batch.rsplit("/", 1)[1]
    for path in (f"/voices/somebody-else/uploads/{name}", f"/voices/somebody-else/uploads/..%2F..%2F{name}"):
        assert send(studio, "GET", path)[0] == 404
        assert send(studio, "DELETE", path)[0] == 404
        assert send(studio, "GET", f"{path}/files/1/audio")[0] == 404
        assert send(studio, "POST", f"{path}/save", {})[0] == 404
    for number in ("7", "-1", "..", "%2e%2e%2flog.jsonl"):
        assert send(studio, "GET", f"{batch}/files/{number}/audio")[0] in (404, 422)
    assert send(studio, "PUT", f"{batch}/files/1?at=-5", b"x")[0] == 422
    assert send(studio, "PUT", f"{batch}/files/1?at=0", bytes(3 << 20))[0] == 413
    assert send(studio, "POST", f"{batch}/draft")[0] == 422, "this voice has no model"
    assert len(send(studio, "GET", batch)[1]["rows"]) == 3


@pytest.mark.slow
def test_the_voices_own_model_writes_a_draft_that_the_person_confirms(
    tab: Page, tmp_path: Path, voice: VoiceFolder
) -> None:
    run = voice.new_run()
    TrainingSettings(base_model="tiny").save(run.config)
    shutil.copytree(TINY_WEIGHTS, run.model)
    clip = sorted(CLIPS.glob("*.ogg"))[0]
    open_page(tab, voice)
    choose(tab, [clip])
    tab.get_by_role("button", name="Write a first draft").press("Enter")
    wait_until_said(tab, "Your model is listening.")
    assert_accessible(tab)
    wait_until_said(tab, "A draft for 1 recording is here.", 120)
    assert states(tab) == {clip.name: "A draft: listen and correct it"}
    expected = subprocess.run(
        [sys.executable, "-m", "ownvoice", "transcribe", "--model", str(run.path), str(clip)],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    assert tab.get_by_label(f"What is said in {clip.name}").input_value() == expected
    tab.locator("#save").press("Enter")
    wait_until_said(tab, f"Not ready yet: {clip.name}")
    tab.get_by_role("button", name=f"These words are right {clip.name}").press("Enter")
    tab.get_by_text("Ready", exact=True).wait_for()
    tab.locator("#save").press("Enter")
    wait_until_said(tab, "1 recording is saved.")
    assert [row.text for row in read_manifest(voice).utterances] == [expected]
    assert announced(tab).count("1 recording is saved.") == 1
