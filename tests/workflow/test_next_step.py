"""What comes next with a voice, from its recordings and its latest training alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from made_up_runs import judge, trained_run
from ownvoice.data.shelf import summarise
from ownvoice.rundir import RunFolder
from ownvoice.workflow.next_step import NextStep, next_step
from ownvoice.workflow.run_view import RunView, RunWatch
from voices import make_voice


def look(run: RunFolder) -> RunView:
    return RunWatch(run).look()


@pytest.mark.parametrize(
    ("utterances", "seconds", "step"),
    [
        (3, 0.9, NextStep("record", missing=7)),
        (12, 0.9, NextStep("first_look")),
        (12, 26.0, NextStep("teach")),
    ],
)
def test_before_the_first_training_the_recordings_decide(
    tmp_path: Path, utterances: int, seconds: float, step: NextStep
) -> None:
    voice = make_voice(tmp_path / "anna", utterances)
    assert next_step(voice, replace(summarise(voice), seconds=utterances * seconds), look) == step


def test_after_it_the_training_does(tmp_path: Path) -> None:
    voice = make_voice(tmp_path / "anna", 12)
    run = trained_run(voice)
    assert next_step(voice, summarise(voice), look) == NextStep("stopped", run), "trained, and not compared yet"
    judge(run, base=lambda text: "", tuned=lambda text: text)
    assert next_step(voice, summarise(voice), look) == NextStep("try", run)
