"""kill -9 at random moments, then --resume: nothing is corrupt, and the run ends as if never stopped."""

from __future__ import annotations

import multiprocessing
import random
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from killable import settings, train_clips, train_in_process

from ownvoice import events
from ownvoice.config import TrainingSettings
from ownvoice.model.load import load_recogniser
from ownvoice.rundir import RunFolder
from ownvoice.training.examples import Clip

SECONDS = 300
"""Longest a test waits for a process to get on."""


def written(run: RunFolder) -> int:
    return run.events.read_bytes().count(b"\n") if run.events.exists() else 0


def start(run: RunFolder, chosen: TrainingSettings, clips: list[Clip]) -> BaseProcess:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["killable", "peft", "transformers.models.voxtral.modeling_voxtral", "accelerate"])
    process = context.Process(target=train_in_process, args=(run, chosen, clips))
    process.start()
    return process


def kill_after(process: BaseProcess, run: RunFolder, lines: int, delay: float) -> bool:
    """Kill it ``delay`` seconds after it has written so many more events; whether it was still alive then."""
    wanted, deadline = written(run) + lines, time.monotonic() + SECONDS
    while process.is_alive() and written(run) < wanted and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(delay)
    alive = process.is_alive()
    process.kill()
    process.join()
    return alive


def run_with_kills(run: RunFolder, chosen: TrainingSettings, clips: list[Clip], kills: int, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(kills):
        process = start(run, chosen, clips)
        assert kill_after(process, run, dice.randint(1, 14), dice.uniform(0, 0.06)), "it ended before it was killed"
        if run.adapter.exists():
            load_recogniser(run.path)
        events.read_events(run.events)
    process = start(run, chosen, clips)
    process.join(SECONDS)
    assert process.exitcode == 0


@pytest.mark.parametrize("kills", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_killed_run_ends_as_if_never_killed(small_voxtral: Path, clips: list[Clip], tmp_path: Path, kills: int) -> None:
    import torch

    chosen = settings(small_voxtral, epochs=6 * kills, dev={"every": 1, "patience": 99}, augment={"variants": 2})
    whole, killed = (RunFolder(tmp_path / "voice" / "runs" / name) for name in ("whole", "killed"))
    whole.path.mkdir(parents=True)
    killed.path.mkdir()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        expected = train_clips(whole, chosen, clips)
    finally:
        torch.set_num_threads(threads)
    run_with_kills(killed, chosen, clips, kills, seed=kills)

    def story(run: RunFolder, kind: type[events.Event]) -> list[events.Event]:
        return [event for event in events.read_events(run.events) if isinstance(event, kind)]

    steps, expected_steps = story(killed, events.Step), story(whole, events.Step)
    assert [step.step for step in steps] == [step.step for step in expected_steps]
    assert [step.loss for step in steps] == pytest.approx([step.loss for step in expected_steps], abs=1e-3)
    done = story(killed, events.Done)[-1]
    assert (done.best_step, done.dev_wer) == (expected.best_step, expected.dev_wer)
    left = [path.name for path in killed.path.rglob("*") if ".new-" in path.name or path.name.endswith(".old")]
    assert left == []
