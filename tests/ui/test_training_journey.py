"""From recorded phrases to a tuned model and what it brought, by keyboard alone, on the built-in model."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from in_browser import Studio, assert_accessible, focused, tab_onto

from ownvoice.data.importers import import_recordings
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.workflow.demo import SAMPLE_VOICE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CLIPS = 20
TRAINING_SECONDS = 400
"""Five epochs of fourteen clips take under a minute on two cores of their own."""
APART = 10.0
"""Seconds between two announcements at least."""

TIME_ANNOUNCEMENTS = """
window.announcedAt = [];
addEventListener("DOMContentLoaded", () => {
  new MutationObserver(() => {
    if (document.getElementById("status").textContent) window.announcedAt.push(performance.now() / 1000);
  }).observe(document.getElementById("status"), { childList: true, characterData: true, subtree: true });
});
"""


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    server = Studio(tmp_path_factory.mktemp("studio"), environment={"OMP_NUM_THREADS": "1"})
    yield server
    server.kill()
    for process in psutil.process_iter(["cmdline"]):
        if any(str(server.voices) in argument for argument in process.info["cmdline"] or ()):
            process.kill()


@pytest.fixture
def voice(studio: Studio, tmp_path: Path) -> VoiceFolder:
    """Some clips of the sample voice."""
    (tmp_path / "clips").mkdir()
    lines = (SAMPLE_VOICE / "metadata.jsonl").read_text().splitlines(keepends=True)[:CLIPS]
    for line in lines:
        name = json.loads(line)["file_name"]
        shutil.copy(SAMPLE_VOICE / name, tmp_path / name)
    (tmp_path / "metadata.jsonl").write_text("".join(lines))
    voice = VoiceFolder(studio.voices / "anna")
    import_recordings(str(tmp_path), voice, language="en")
    return voice


def test_a_model_is_taught_and_its_result_read_by_keyboard_alone(tab: Page, voice: VoiceFolder) -> None:
    tab.add_init_script(TIME_ANNOUNCEMENTS)
    tab.goto("/voices/anna/dataset")
    tab_onto(tab, "Teach")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/voices/anna/train")
    tab_onto(tab, "pace-balanced")  # the only decision
    tab.keyboard.press("ArrowLeft")
    tab_onto(tab, "Teach the model")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/voices/anna/runs/*")
    [run] = voice.started_runs()

    tab.get_by_role("heading", name="The model is learning").wait_for(timeout=1000 * TRAINING_SECONDS)
    assert_accessible(tab)
    headline = tab.locator("#headline")
    headline.wait_for(timeout=1000 * TRAINING_SECONDS)
    assert tab.locator("h1").inner_text() == "Done"
    assert_accessible(tab)
    tab.wait_for_timeout(1000 * (APART + 1))  # for the last announcement
    told = tab.evaluate("window.announcedAt")
    assert len(told) >= 3
    assert all(later - earlier >= APART - 0.1 for earlier, later in pairwise(told))

    evaluated = evaluate_again(run)
    shown = [float(cell.get_attribute("data-rate") or "nan") for cell in tab.locator("td[data-figure=wer]").all()]
    assert shown == [evaluated["base"]["wer"], evaluated["tuned"]["wer"]]
    assert headline.inner_text().rstrip(".") == evaluated["headline"]

    tab_onto(tab, "Make this model mine")
    tab.keyboard.press("Enter")
    tab.get_by_role("button", name="This model is yours").wait_for()
    assert focused(tab) == "This model is yours"


def evaluate_again(run: RunFolder) -> dict:  # type: ignore[type-arg]
    """What ``ownvoice evaluate --json`` prints of the run."""
    command = [sys.executable, "-m", "ownvoice", "evaluate", str(run.path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]
