"""What goes wrong in a run is done to it for real, told plainly with a next step, and the next try works."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from following import process_of, settings, until, until_over
from ownvoice import events
from ownvoice.data.manifest import audio_file, read_manifest
from ownvoice.data.split import Split, load_split, save_split, split_utterances
from ownvoice.data.utterance import utterance_id
from ownvoice.errors import AudioError, DivergedError
from ownvoice.events import EventLog
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.training.durable import held
from ownvoice.workflow import queue, runs
from ownvoice.workflow.failures import Failure
from ownvoice.workflow.run_view import RunWatch
from ownvoice.workflow.train import go_on

HERE = Path(__file__).parent


def nothing(event: events.Event) -> None:
    pass


def new_run(voice: VoiceFolder, model: Path, **changes: object) -> RunFolder:
    run = voice.new_run()
    settings(model, **changes).save(run.config)
    return run


def split_of(run: RunFolder) -> Split:
    return load_split(run, read_manifest(run.voice).utterances)


def wav_of(voice: VoiceFolder, name: str) -> Path:
    return next(audio_file(voice, one) for one in read_manifest(voice).utterances if utterance_id(one) == name)


def failure(run: RunFolder) -> Failure:
    view = RunWatch(run).look()
    assert view.state == "failed" and view.failure is not None
    return view.failure


def retry_here(run: RunFolder, failed: Failure) -> RunFolder:
    """The new run that the failure's changes make, trained in this process rather than in one of its own."""
    with held(run.voice.queue / ".device"):
        new = runs.retry(run, failed.changes)
        assert queue.leave(new)
    go_on(new, nothing)
    assert RunWatch(new).look().state == "finished"
    return new


def test_loss_that_is_no_number(voice: VoiceFolder, small_voxtral: Path) -> None:
    run = new_run(voice, small_voxtral, optimiser={"learning_rate": 1e30, "warmup": 0})
    with pytest.raises(DivergedError):
        go_on(run, nothing)
    failed = failure(run)
    assert (failed.kind, failed.stage, failed.action) == ("nan_loss", "train", "retry")
    assert "no longer a number" in failed.message and "lower optimiser.learning_rate" in failed.next_step
    assert failed.changes["optimiser"]["learning_rate"] == pytest.approx(1e29)
    retry_here(run, replace(failed, changes={"optimiser": {"learning_rate": 1e-3}}))


def test_recording_deleted_while_the_run_was_under_way(voice: VoiceFolder, small_voxtral: Path) -> None:
    run = new_run(voice, small_voxtral)
    save_split(run, split_utterances(read_manifest(voice).utterances, seed=0))
    name = split_of(run).train[3]
    wav_of(voice, name).unlink()
    with pytest.raises(AudioError):
        go_on(run, nothing)
    failed = failure(run)
    assert (failed.kind, failed.utterance, failed.action, failed.changes) == ("bad_data", name, "retry", {})
    assert name in failed.message
    new = retry_here(run, failed)
    assert name not in [*split_of(new).train, *split_of(new).dev, *split_of(new).test]
    assert any(f"{name} is left out" in notice for notice in RunWatch(new).look().story.notices)


@pytest.mark.slow
def test_recording_deleted_and_process_killed_while_the_models_are_compared(
    voice: VoiceFolder, small_voxtral: Path
) -> None:
    run = new_run(voice, small_voxtral, method="full")
    save_split(run, split_utterances(read_manifest(voice).utterances, seed=0))
    shutil.copytree(small_voxtral, run.model)
    EventLog(run.events).emit(events.Done(4, 4, 0.5, 1.5, 10.0, False))
    name = split_of(run).test[0]
    wav = wav_of(voice, name)
    content = wav.read_bytes()
    wav.unlink()
    runs.resume(run)
    until_over(run)
    failed = failure(run)
    assert (failed.kind, failed.stage, failed.utterance, failed.action) == ("bad_data", "evaluate", name, "resume")

    wav.write_bytes(content)
    runs.resume(run)
    process = process_of(run)
    until(run, lambda view: view.story.stage == "evaluate")
    process.kill()
    until_over(run)
    assert (failure(run).kind, failure(run).stage) == ("worker_killed", "evaluate")
    assert RunWatch(run).look().has_model

    runs.resume(run)
    view, _ = until_over(run)
    assert view.state == "finished" and not view.can_resume


def starve(run: RunFolder, megabytes: int) -> None:
    training = [sys.executable, str(HERE / "starved.py"), str(run.path), str(megabytes)]
    subprocess.run(training, check=True, capture_output=True, timeout=200)


@pytest.mark.slow
def test_memory_that_runs_out(voice: VoiceFolder, small_voxtral: Path) -> None:
    run = new_run(voice, small_voxtral, lora={"rank": 512}, batch_size=16)
    starve(run, megabytes=15)
    failed = failure(run)
    assert (failed.kind, failed.stage, failed.action) == ("out_of_memory", "train", "retry")
    assert "too little memory" in failed.message
    assert failed.changes == {"batch_size": 8, "accumulate": 2}
    retry_here(run, failed)


@pytest.mark.slow
def test_memory_that_the_base_model_finds_no_place_in(voice: VoiceFolder, small_voxtral: Path) -> None:
    """A smaller batch would not help; a base in less memory would, and closing other programs."""
    run = new_run(voice, small_voxtral, base_model="tiny", method="full")
    starve(run, megabytes=8)
    failed = failure(run)
    assert (failed.kind, failed.stage) == ("out_of_memory", "prepare")
    assert "too little memory to load this model: its weights take 0.1 GB" in failed.message
    assert failed.next_step.startswith("Close other programs") and "--method qlora" in failed.next_step
    assert (failed.action, failed.changes) == ("retry", {"method": "lora"})


@pytest.mark.slow
def test_disk_that_is_full(small_voxtral: Path, tmp_path: Path) -> None:
    may = subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", str(tmp_path)], check=False)
    if may.returncode:
        pytest.skip("needs the right to mount a file system of its own")
    training = f"{sys.executable} {HERE / 'crowded.py'} {tmp_path} {small_voxtral}"
    script = f"mount -t tmpfs -o size=8m none {tmp_path} && {training}"
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["failed disk_full resume", "finished [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]"]


def test_machine_switched_off_is_no_failure(voice: VoiceFolder, small_voxtral: Path) -> None:
    run = new_run(voice, small_voxtral)
    EventLog(run.events).emit(events.Start(20, 0, "CPU", "float32", 9, 3, 100))
    assert failure(run).kind == "worker_killed"
    year = f'"time": "{datetime.now(UTC).year}'
    run.events.write_text(run.events.read_text().replace(year, '"time": "2001'))  # before this machine was started
    view = RunWatch(run).look()
    assert (view.state, view.failure, view.can_resume) == ("interrupted", None, True)
