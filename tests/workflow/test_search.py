"""ownvoice train --search: trials are runs, the best is named, and a stopped search goes on where it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ownvoice import events, workflow
from ownvoice.cli import cli
from ownvoice.config import TrainingSettings
from ownvoice.errors import UsageError
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.workflow.search import SearchResult

pytestmark = pytest.mark.slow


def searched(voice: VoiceFolder, model: Path, count: int, **options: object) -> SearchResult:
    given = {"base_model": str(model), "epochs": 4, "batch_size": 6, "dev": {"every": 1}, "lora": {"rank": 4}}
    listener = options.pop("listener", lambda event: None)
    return workflow.search(
        voice,
        None,
        given,
        count,
        resume=bool(options.get("resume")),
        listener=listener,
        tell=lambda line: None,  # type: ignore[arg-type]
    )


def test_every_trial_is_a_run_on_the_same_split(voice: VoiceFolder, small_voxtral: Path) -> None:
    found = searched(voice, small_voxtral, 3)
    runs = [RunFolder(voice.runs / trial.run) for trial in found.trials]
    assert [run.path for run in runs] == [run.path for run in voice.started_runs()]
    assert len({run.split.read_text() for run in runs}) == 1
    chosen = [TrainingSettings.load(run.config) for run in runs]
    assert all(settings.lora.rank == 4 for settings in chosen)  # given by hand, so not searched
    assert (chosen[0].optimiser.learning_rate, chosen[0].lora.dropout) == (1e-3, 0.05)  # the usual ones come first
    assert len({settings.optimiser.learning_rate for settings in chosen}) == 3
    assert {trial.outcome for trial in found.trials} == {"done", "ended early"}
    done = [trial for trial in found.trials if trial.outcome == "done"]
    assert found.best in done and found.best.dev_wer == min(trial.dev_wer for trial in done)  # type: ignore[type-var]
    for trial, run in zip(found.trials, runs, strict=True):
        ends = {type(event) for event in events.read_events(run.events)} & {events.Done, events.Cancelled}
        assert ends == ({events.Done} if trial.outcome == "done" else {events.Cancelled})
        assert run.adapter.is_dir()
    workflow.delete_other_models(found)
    assert [run.path for run in runs if run.adapter.is_dir()] == [found.run.path]
    assert len(voice.started_runs()) == 3


def test_stopped_search_goes_on_with_the_run_it_was_in(voice: VoiceFolder, small_voxtral: Path) -> None:
    seen: list[events.Event] = []

    def press(event: events.Event) -> None:
        seen.append(event)
        if len([one for one in seen if isinstance(one, events.Checkpoint)]) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        searched(voice, small_voxtral, 2, listener=press)
    (run,) = voice.started_runs()
    found = searched(voice, small_voxtral, 2, resume=True)
    assert len(found.trials) == len(voice.started_runs()) == 2
    assert found.trials[0].run == run.path.name
    starts = [event.step for event in events.read_events(run.events) if isinstance(event, events.Start)]
    assert starts[0] == 0 and starts[1] > 0
    assert searched(voice, small_voxtral, 2, resume=True) == found  # nothing is left to do
    with pytest.raises(UsageError, match="goes on with the settings it started with"):
        workflow.search(voice, None, {"epochs": 9}, 2, resume=True, listener=seen.append, tell=lambda line: None)


def test_command_prints_a_table_and_what_programs_read(voice: VoiceFolder, small_voxtral: Path) -> None:
    quick = ["--base-model", str(small_voxtral), "--epochs", "1", "--batch-size", "12", "--scope", "decoder"]
    done = CliRunner().invoke(cli, ["train", str(voice.path), *quick, "--search", "2", "--json"])
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert {"run", "steps", "loss", "dev_wer", "trials"} == set(answer)
    assert set(answer["trials"][0]) == {"run", "settings", "outcome", "steps", "dev_wer"}
    assert Path(answer["run"]).name in [trial["run"] for trial in answer["trials"]]
    again = CliRunner().invoke(cli, ["train", str(voice.path), "--search", "2", "--resume", "--only-best"])
    assert again.exit_code == 0, again.output
    assert again.stdout.count("%") == 2 and "lora.rank" in again.stdout
    assert len([run for run in voice.started_runs() if run.adapter.is_dir()]) == 1
