"""``accelerate launch -m ownvoice train``: two processes on the CPU, as a person starts them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ownvoice import events
from ownvoice.rundir import RunFolder
from voices import make_voice

SETTINGS = ["--epochs", "1", "--batch-size", "4", "--accumulate", "2", "--json"]
LAUNCH = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--main_process_port", "0"]


def train(folder: Path, launcher: list[str], arguments: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *launcher, "-m", "ownvoice", "train", *arguments]
    alone = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(
        command, cwd=folder, env=os.environ | alone, capture_output=True, text=True, timeout=240, check=False
    )


@pytest.mark.slow
def test_two_processes_give_the_losses_of_one(tmp_path: Path, small_voxtral: Path) -> None:
    make_voice(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    answers, losses = [], []
    for voice, launcher in (("one", []), ("two", LAUNCH)):
        done = train(tmp_path, launcher, [voice, "--base-model", str(small_voxtral), *SETTINGS])
        assert done.returncode == 0, done.stderr
        answers.append(json.loads(done.stdout))  # printed once
        run = RunFolder(tmp_path / answers[-1]["run"])
        losses.append([event.loss for event in events.read_events(run.events) if isinstance(event, events.Step)])
        assert len(run.voice.started_runs()) == 1
        assert done.stderr.count("Training on CPU") == 1
    assert losses[1] == pytest.approx(losses[0], abs=1e-4)
    assert answers[1]["dev_wer"] == answers[0]["dev_wer"]


@pytest.mark.slow
def test_a_mistake_is_told_once_and_ends_both(tmp_path: Path, small_voxtral: Path) -> None:
    done = train(tmp_path, LAUNCH, ["nobody", "--base-model", str(small_voxtral)])
    assert done.returncode != 0
    assert done.stderr.count("ownvoice: nobody: ") == 1
