"""A rented machine's time limit: training ends in time before it, and what was learned is on the Hub and judged."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import made_up_runs
from fakes.hub.app import Hub
from following import endless
from ownvoice import events
from ownvoice.config import TINY
from ownvoice.credentials import Secret
from ownvoice.data.manifest import read_manifest
from ownvoice.data.split import save_split, split_utterances
from ownvoice.events import read_events
from ownvoice.publishing.files import RepoFile
from ownvoice.publishing.jobs import JobState
from ownvoice.publishing.push import push
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.workflow.publish import Account, connect
from ownvoice.workflow.remote_fetch import finish
from ownvoice.workflow.remote_job import work
from ownvoice.workflow.remote_record import Remote
from voices import make_voice

REPO = "anna/a-job"
LIMIT = 3600.0


@pytest.fixture
def account(local_hub: Hub) -> Account:
    return connect(lambda sentence: None, Secret("hf_write"))


@pytest.mark.slow
def test_training_ends_in_time_and_the_best_so_far_is_judged_and_sent(
    account: Account, local_hub: Hub, trained_run: RunFolder, tmp_path: Path
) -> None:
    """The clock stands still until there is a model, and then says that the limit is near."""
    voice = VoiceFolder(tmp_path / "voice")
    shutil.copytree(trained_run.voice.path, voice.path, ignore=shutil.ignore_patterns("cache", "runs"))
    run = voice.new_run()
    endless(Path(TINY)).model_copy(update={"dev": endless(Path(TINY)).dev.model_copy(update={"every": 1.0})}).save(
        run.config
    )
    save_split(run, split_utterances(read_manifest(voice).utterances, seed=0))
    account.hub.ensure_repo("dataset", REPO, public=False)
    files = [RepoFile(str(path.relative_to(voice.path)), path) for path in voice.path.rglob("*") if path.is_file()]
    push(account.hub, "dataset", REPO, files, "Train", ours=lambda path: False)
    there = RunFolder(tmp_path / "there" / "runs" / run.path.name)
    lines: list[str] = []

    def clock() -> float:
        return LIMIT - 60 if there.adapter.is_dir() else 0.0

    work(account, REPO, there.voice.path, lines.append, seconds=LIMIT, clock=clock)
    happened = read_events(there.events)
    (note,) = (event.message for event in happened if isinstance(event, events.Warning) and "limit" in event.message)
    assert note.startswith("The time limit of 1 hour came near")
    names = [event.name for event in happened]
    assert names.index("cancelled") < names.index("evaluated") and names[-1] == "evaluated"
    assert {"adapter/adapter_model.safetensors", "evaluation.json"} <= set(local_hub.repo("model", REPO).files)
    assert any(note in line for line in lines), "the person at home reads it too"


def test_a_model_that_was_sent_before_the_machine_went_is_kept(
    account: Account, local_hub: Hub, tmp_path: Path
) -> None:
    run = made_up_runs.trained_run(make_voice(tmp_path / "voice", 16))
    events.EventLog(run.events).emit(events.Stage("evaluate"))
    account.hub.ensure_repo("model", REPO, public=False)
    files = [RepoFile("adapter/adapter_model.safetensors", (run.adapter / "adapter_model.safetensors").read_bytes())]
    push(account.hub, "model", REPO, files, "What the training brought", ours=lambda path: False)
    shutil.rmtree(run.adapter)
    remote = Remote("anna", REPO, "t4-small", 0.4, 3600, job="job0001")
    state = JobState("job0001", "ERROR", "Job timeout: its time limit was reached")
    finish(account, run, remote, state, [], events.EventLog(run.events))
    assert (run.adapter / "adapter_model.safetensors").is_file()
    assert [event.name for event in read_events(run.events)][-2:] == ["warning", "cancelled"]
    assert not local_hub.repos
