"""Runs in processes of their own, followed, stopped and killed as a person and a machine would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from following import endless, process_of, settings, steps_of, until, until_over, until_step
from ownvoice import events
from ownvoice.errors import OwnvoiceError, StorageError, TrainingError
from ownvoice.model.load import load_recogniser
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.workflow import queue, runs
from ownvoice.workflow.run_view import RunWatch

LOOK = """
import json, sys
from pathlib import Path
from ownvoice.rundir import RunFolder
from ownvoice.workflow.run_view import RunWatch
view = RunWatch(RunFolder(Path(sys.argv[1]))).look().to_json()
view["torch"] = "torch" in sys.modules
print(json.dumps(view))
"""


def look_from_elsewhere(run: RunFolder) -> dict[str, object]:
    """What a server that was started this moment sees."""
    done = subprocess.run([sys.executable, "-c", LOOK, str(run.path)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_runs_take_turns_and_are_judged_by_themselves(voice: VoiceFolder, small_voxtral: Path) -> None:
    first = runs.start(voice, settings(small_voxtral, epochs=60))
    second = runs.start(voice, settings(small_voxtral, seed=1))
    until(second, lambda view: view.run.job_lock.exists())
    until_step(first, 2)
    assert [(view.run, view.position) for view in runs.in_queue(voice.path.parent)] == [(RunFolder(second.path), 1)]

    process_of(second).kill()  # a waiting process dies: the run waits on, and the next to end starts it again
    for run in (first, second):
        view, _ = until_over(run)
        assert (view.state, view.has_model, view.can_resume) == ("finished", True, False)
        assert view.story.evaluated is not None
        assert view.story.evaluated.tuned_wer == json.loads(run.evaluation_json.read_text())["tuned"]["wer"]
        assert view.story.trained is not None and steps_of(run) == list(range(1, view.story.trained.step + 1))
        assert run.log.stat().st_mode & 0o777 == 0o600
    assert RunWatch(second).look().story.start.step == 0  # type: ignore[union-attr]
    assert runs.in_queue(voice.path.parent) == []
    with pytest.raises(TrainingError, match="finished"):
        runs.resume(first)


@pytest.mark.slow
def test_paused_cancelled_and_killed_run_goes_on_without_a_step_lost_or_doubled(
    voice: VoiceFolder, small_voxtral: Path
) -> None:
    run = runs.start(voice, endless(small_voxtral))
    until_step(run, 20)
    with pytest.raises(StorageError, match="still at work"):
        runs.resume(run)
    runs.pause(run)
    view, seconds = until_over(run)
    assert view.state == "paused" and seconds < 5
    assert load_recogniser(run.path).adapter is not None  # though the dev set was not looked at yet

    runs.resume(run)
    seen = until_step(run, view.story.done + 40)
    process_of(run).kill()
    view, _ = until_over(run)
    assert view.state == "failed" and view.failure is not None
    assert (view.failure.kind, view.failure.action) == ("worker_killed", "resume")
    assert look_from_elsewhere(run)["state"] == "failed"

    runs.resume(run)
    until_step(run, seen.story.done + 20)
    elsewhere = look_from_elsewhere(run)
    assert (elsewhere["state"], elsewhere["stage"], elsewhere["torch"]) == ("running", "train", False)
    runs.cancel(run)
    view, seconds = until_over(run)
    assert view.state == "cancelled" and seconds < 5
    assert steps_of(run) == list(range(1, view.story.done + 1))

    runs.evaluate(run)
    view, _ = until_over(run)
    assert (view.state, view.can_resume) == ("finished", True) and run.evaluation_json.is_file()


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["check", "load"])
def test_cancelled_before_the_first_step_within_five_seconds(
    voice: VoiceFolder, small_voxtral: Path, stage: str
) -> None:
    run = runs.start(voice, endless(small_voxtral))
    until(run, lambda view: view.story.stage == stage)
    runs.cancel(run)
    assert RunWatch(run).look().state in ("cancelling", "cancelled")
    view, seconds = until_over(run)
    assert view.state == "cancelled" and view.can_resume and seconds < 5
    deadline = time.monotonic() + 5
    while run.job_lock.exists() and queue.is_held(run.job_lock):
        assert time.monotonic() < deadline


@pytest.mark.slow
def test_run_on_a_computer_that_is_shut_down_is_interrupted(voice: VoiceFolder, small_voxtral: Path) -> None:
    run = runs.start(voice, endless(small_voxtral))
    until(run, lambda view: view.story.stage == "load")
    process_of(run).terminate()
    view, _ = until_over(run)
    assert (view.state, view.failure, view.can_resume) == ("interrupted", None, True)


def test_run_cancelled_while_it_waits_never_starts(voice: VoiceFolder, small_voxtral: Path) -> None:
    with queue.held(voice.queue / ".device"):
        run = runs.start(voice, settings(small_voxtral))
        assert RunWatch(run).look().state == "queued"
        with pytest.raises(TrainingError, match="waiting for its turn already"):
            runs.resume(run)
        runs.cancel(run)
        assert RunWatch(run).look().state == "cancelled"
        with pytest.raises(TrainingError, match="does not work any more"):
            runs.cancel(run)
        runs.resume(run)
        runs.pause(run)
    assert RunWatch(run).look().state == "paused"
    assert queue.tickets(voice.queue) == []
    names = [event.name for event in events.read_events(run.events)]
    assert names == ["queued", "cancelled", "queued", "paused"]


def test_waiting_run_whose_process_died_can_be_put_into_the_queue_again(
    voice: VoiceFolder, small_voxtral: Path
) -> None:
    with queue.held(voice.queue / ".device"):
        run = runs.start(voice, settings(small_voxtral))
        process_of(run).kill()
        ticket = queue.ticket_of(run)
        assert ticket is not None
        os.utime(ticket.path, (0, 0))  # long ago
        view = RunWatch(run).look()
        assert (view.state, view.can_resume) == ("interrupted", True)
        runs.resume(run)
        assert RunWatch(run).look().state == "queued" and len(queue.tickets(voice.queue)) == 1
        runs.cancel(run)


def test_new_run_with_some_settings_changed(voice: VoiceFolder, small_voxtral: Path) -> None:
    with queue.held(voice.queue / ".device"):
        old = runs.start(voice, settings(small_voxtral, seed=7))
        new = runs.retry(old, {"lora": {"rank": 2}})
        assert [view.run.path for view in runs.in_queue(voice.path.parent)] == [old.path, new.path]
        assert [view.position for view in runs.in_queue(voice.path.parent)] == [1, 2]
        runs.cancel(old)
        runs.cancel(new)
    chosen = RunWatch(new).look().settings
    assert (chosen.seed, chosen.lora.rank, chosen.lora.alpha) == (7, 2, 32)
    assert runs.find(voice, new.path.name) == new
    for name in ("none", "../anna", ""):
        with pytest.raises(TrainingError, match="no such run"):
            runs.find(voice, name)


def test_tickets_of_deleted_runs_and_damaged_ones_are_thrown_away(voice: VoiceFolder) -> None:
    voice.queue.mkdir()
    for number, content in enumerate(['{"voice": "anna", "run": "gone", "work": "train"}', "{", '{"voice": "../.."}']):
        (voice.queue / f"{number}.json").write_text(content)
    assert queue.tickets(voice.queue) == []
    assert list(voice.queue.iterdir()) == []


def test_no_model_no_evaluation_no_voice_no_run(voice: VoiceFolder, small_voxtral: Path, tmp_path: Path) -> None:
    run = voice.new_run()
    settings(small_voxtral).save(run.config)
    with pytest.raises(TrainingError, match="no trained model yet"):
        runs.evaluate(run)
    with pytest.raises(OwnvoiceError, match="not a voice folder"):
        runs.start(VoiceFolder(tmp_path / "nobody"), settings(small_voxtral))
