"""A training on its page: each state says what it is and what to do next; reloads, restarts, pause, end, going on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import psutil
import pytest
from in_browser import Studio, announced, assert_accessible, focused, wait_until_said

from following import SECONDS, endless, steps_of, until, until_step
from made_up_runs import trained_run
from ownvoice import events
from ownvoice.config import TrainingSettings
from ownvoice.events import EventLog
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.workflow import runs
from ownvoice.workflow.run_view import RunWatch
from voices import make_voice

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

TRUE_WITHIN = 2.0
"""Seconds in which the page shows the true state."""


@pytest.fixture(scope="module")
def voice(studio: Studio) -> VoiceFolder:
    return make_voice(studio.voices / "anna", 16)


@pytest.fixture
def live_run(voice: VoiceFolder, small_voxtral: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunFolder]:
    """A run of a miniature model that trains until somebody ends it."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    run = runs.start(voice, endless(small_voxtral))
    yield run
    for process in psutil.process_iter(["cmdline"]):
        if str(run.path.resolve()) in (process.info["cmdline"] or ()):
            process.kill()


def address(run: RunFolder) -> str:
    return f"/voices/anna/runs/{run.path.name}"


def ended(voice: VoiceFolder, *last_words: events.Event) -> RunFolder:
    """A run in the middle of its training, and what ended it."""
    run = trained_run(voice, batch_size=8)
    kept = [line for line in run.events.read_text().splitlines(keepends=True) if '"event": "done"' not in line]
    run.events.write_text("".join(kept))
    for event in last_words:
        EventLog(run.events).emit(event)
    return run


FAILURES: dict[str, tuple[events.Failed, str, str]] = {
    "out_of_memory": (
        events.Failed(4, "the computer has too little memory\nMake batches smaller.", "out_of_memory"),
        "Make batches smaller.",
        "Try again with this change",
    ),
    "disk_full": (events.Failed(4, "the disk is full", "disk_full"), "Free some space", "Go on"),
    "bad_data": (
        events.Failed(4, "wavs/0003.wav is gone\nPut it back.", "bad_data", "prepare", "wavs/0003.wav"),
        "wavs/0003.wav is gone",
        "Look at this recording",
    ),
    "nan_loss": (
        events.Failed(4, "the loss is no longer a number\nLower the learning rate.", "nan_loss"),
        "Change: optimiser.learning_rate = 0.0001",
        "Try again with this change",
    ),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_a_failure_says_what_happened_and_the_next_step(tab: Page, voice: VoiceFolder, kind: str) -> None:
    failed, sentence, step = FAILURES[kind]
    run = ended(voice, failed)
    tab.goto(address(run))
    assert tab.locator("h1").inner_text() == "It stopped"
    assert sentence in tab.locator("#failure").inner_text()
    assert tab.locator("button:visible, a.button:visible").filter(has_text=step).count() == 1
    assert tab.get_by_role("link", name="Try again with other settings").is_visible()
    assert_accessible(tab)


def test_a_failed_run_is_tried_again_with_the_change_that_was_named(tab: Page, voice: VoiceFolder) -> None:
    failed, _, step = FAILURES["out_of_memory"]
    run = ended(voice, failed)
    tab.goto(address(run))
    tab.get_by_role("button", name=step).click()
    tab.wait_for_url(lambda url: url.rpartition("/")[2] != run.path.name)
    again = runs.find(voice, tab.url.rpartition("/")[2])
    runs.cancel(again)
    before, now = (TrainingSettings.load(one.config) for one in (run, again))
    assert (now.batch_size, now.accumulate) == (before.batch_size // 2, 2 * before.accumulate)
    tab.get_by_role("heading", name="Ended early").wait_for()
    until(again, lambda view: view.is_over)


ENDINGS: dict[str, Callable[[], events.Event]] = {
    "Paused": lambda: events.Paused(4),
    "Ended early": lambda: events.Cancelled(4),
    "It was interrupted": lambda: events.Interrupted(4),
}


@pytest.mark.parametrize("title", ENDINGS)
@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light")])
def test_a_run_that_stopped_can_go_on(tab: Page, voice: VoiceFolder, title: str, width: int, scheme: str) -> None:
    tab.set_viewport_size({"width": width, "height": 800})
    tab.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    tab.goto(address(ended(voice, ENDINGS[title]())))
    assert tab.locator("h1").inner_text() == title
    assert tab.get_by_role("button", name="Go on").is_visible()
    assert_accessible(tab)


def test_the_curves_have_a_text_and_a_table(tab: Page, voice: VoiceFolder) -> None:
    tab.goto(address(ended(voice, events.Step(8, 4.0, 0.5, 1e-3, 0.5, 0.1), events.Eval(8, 0.25, 0.1, 0.5, True))))
    said = tab.locator("#wer-curve svg").get_attribute("aria-label")
    assert said == "50% of words wrong at the first look, 25% at the latest, 25% at the best, after step 8."
    assert tab.locator("#loss-curve svg").get_attribute("aria-label") == "Loss 1.50 at first, 0.50 now."
    tab.get_by_text("The same as a table").click()
    rows = [row.inner_text().split("\t") for row in tab.locator("#figures tbody tr").all()]
    assert rows == [["4", "50%", "25%", "1.500"], ["8", "25% (best)", "10%", "0.500"]]
    assert_accessible(tab)


def test_what_the_program_printed_is_there_to_read(tab: Page, voice: VoiceFolder) -> None:
    run = ended(voice, events.Paused(4))
    run.log.write_text("so far so good\n")
    tab.goto(address(run))
    tab.get_by_text("What the program printed").click()
    tab.get_by_text("so far so good").wait_for()
    assert_accessible(tab)


@pytest.mark.slow
def test_reloads_and_a_killed_server_lose_nothing_and_ending_it_leaves_a_run_that_goes_on(
    tab: Page, studio: Studio, live_run: RunFolder
) -> None:
    tab.goto(address(live_run))
    until_step(live_run, 3)
    assert_shows_the_truth(tab, live_run)
    assert_accessible(tab)
    for _ in range(5):
        tab.reload()
        assert_shows_the_truth(tab, live_run)

    studio.kill()
    tab.get_by_text("The connection to ownvoice is lost.").first.wait_for()
    assert_accessible(tab)
    before = RunWatch(live_run).look().story.done
    until_step(live_run, before + 3)  # it goes on without a server
    studio.start()
    tab.locator("#lost").wait_for(state="hidden")
    assert_shows_the_truth(tab, live_run)

    tab.get_by_role("button", name="Pause").focus()
    tab.keyboard.press("Enter")
    tab.get_by_role("heading", name="Paused").wait_for()
    assert focused(tab) == "Go on"
    tab.keyboard.press("Enter")
    tab.get_by_role("heading", name="The model is learning").wait_for(timeout=1000 * SECONDS)
    assert_shows_the_truth(tab, live_run)

    tab.get_by_role("button", name="End it").click()
    assert_accessible(tab)
    began = time.monotonic()
    tab.get_by_role("button", name="Yes, end it").click()
    until(live_run, lambda view: view.state == "cancelled")
    assert time.monotonic() - began < 5
    tab.get_by_role("heading", name="Ended early").wait_for()
    assert focused(tab) == "Go on"
    done = steps_of(live_run)
    assert done == list(range(1, len(done) + 1))
    wait_until_said(tab, "Ended early.")


@pytest.mark.slow
def test_a_second_run_waits_where_everybody_sees_it(
    tab: Page, voice: VoiceFolder, live_run: RunFolder, small_voxtral: Path
) -> None:
    until_step(live_run, 1)
    second = runs.start(voice, endless(small_voxtral))
    tab.goto(address(second))
    assert tab.get_by_text("One training goes first. This one starts by itself.").is_visible()
    assert_accessible(tab)
    tab.goto(address(live_run))
    assert tab.locator("#queue a").count() == 1
    tab.goto("/voices/anna/train")
    assert tab.locator("#under-way ~ ul li").count() == 2
    runs.cancel(second)
    runs.cancel(live_run)
    until(live_run, lambda view: view.is_over)
    assert announced(tab) == []  # nothing of this page changed by itself that anybody waits for


def assert_shows_the_truth(page: Page, run: RunFolder) -> None:
    """What the page shows is how the run stood at some moment of the last two seconds."""
    began = time.monotonic()
    at_least = RunWatch(run).look().story.done
    while not (shown := page.locator("#step").inner_text()).startswith("Step ") or step_in(shown) < at_least:
        assert time.monotonic() - began < TRUE_WITHIN, f"{shown!r} after two seconds; it was at step {at_least}"
        page.wait_for_timeout(50)
    assert step_in(shown) <= RunWatch(run).look().story.done


def step_in(text: str) -> int:
    """3 of "Step 3 of 100"."""
    return int(text.split()[1])
