"""Training on a rented machine from command to model: the local Hub runs each job as a process of this one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fakes.hub.app import Hub, Token, client_environment
from ownvoice import events
from ownvoice.cli import cli
from ownvoice.publishing.dataset import PRIVATE_CONSENT
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.workflow import runs
from ownvoice.workflow.run_view import RunWatch
from rented_machine import HALF_A_RUN, stand_in_for_uvx

SECRET = "hf_" + "JoBjObJoBjObJoBjObJoBjObJoBjObJo"
SETTINGS = ["--base-model", "tiny", "--epochs", "1", "--batch-size", "8"]


@pytest.fixture
def hub(local_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Hub:
    local_hub.add_token(Token(SECRET, "anna"))
    monkeypatch.setenv("HF_TOKEN", SECRET)
    return local_hub


@pytest.fixture
def machine(hub: Hub, tmp_path: Path) -> Callable[[str], None]:
    """Says what stands for ``uvx``, the installer that each job begins with."""

    def stands(shell: str) -> None:
        stand_in_for_uvx(hub, tmp_path / "bin", shell)

    stands(f'exec "{sys.executable}" -m ownvoice "$@"')
    return stands


@pytest.fixture
def voice(trained_run: RunFolder, tmp_path: Path) -> VoiceFolder:
    return copy_voice(trained_run, tmp_path / "voices" / "anna")


def copy_voice(trained: RunFolder, folder: Path) -> VoiceFolder:
    shutil.copytree(trained.voice.path, folder, ignore=shutil.ignore_patterns("cache", "runs"))
    return VoiceFolder(folder)


def run_of(voice: VoiceFolder) -> RunFolder:
    run = voice.latest_run()
    assert run is not None
    return run


def call(*arguments: object) -> Result:
    done = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def wait_until(is_so: Callable[[], bool], seconds: float = 120) -> None:
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends, "it takes too long"
        time.sleep(0.1)


def test_price_limit_and_consent_come_before_anything_is_sent(
    hub: Hub, machine: Callable[[str], None], voice: VoiceFolder
) -> None:
    done = call("train", voice.path, "--on", "hf-jobs:t4-small", "--hours", "3", *SETTINGS)
    assert done.exit_code == 2 and "has to be confirmed" in done.stderr
    assert done.stderr.startswith("Logged in as anna.")
    assert (
        "Nvidia T4 - small (t4-small) costs $0.40 an hour; after 3 hours it is ended, so at most $1.20" in done.stderr
    )
    assert PRIVATE_CONSENT in done.stderr
    assert not hub.repos and not hub.jobs and voice.latest_run() is None
    assert "Choose one of: cpu-basic" in call("train", voice.path, "--on", "hf-jobs:dream", *SETTINGS).stderr
    assert "is no place to train on" in call("train", voice.path, "--on", "elsewhere", *SETTINGS).stderr
    assert "one voice is trained at a time" in call("train", voice.path, voice.path).stderr


@pytest.mark.slow
def test_it_survives_a_closed_laptop(
    hub: Hub, machine: Callable[[str], None], voice: VoiceFolder, tmp_path: Path
) -> None:
    environment = client_environment(hub, tmp_path / "home", SECRET)
    start = [sys.executable, "-m", "ownvoice", "train", str(voice.path), "--on", "hf-jobs:t4-small", "--yes", *SETTINGS]
    seen: set[bytes] = set()
    with subprocess.Popen(start, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as laptop:

        def has_heard() -> bool:
            seen.update(path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if _alive(path))
            run = voice.latest_run()
            happened = events.read_events(run.events) if run else []
            return any(not isinstance(event, events.Queued | events.Warning) for event in happened)

        wait_until(has_heard)
        laptop.kill()
        output = b"".join(laptop.communicate())
    run = run_of(voice)
    assert RunWatch(run).look().state in ("preparing", "running"), "it goes on, and the page says so"
    row = json.loads(call("jobs", tmp_path / "voices", "--json").stdout)[0]
    assert (row["voice"], row["machine"], row["job"]) == ("anna", "t4-small", "job0001")
    assert row["stage"] in ("RUNNING", "COMPLETED")

    done = call("jobs", "--attach", run.path)
    assert done.exit_code == 0, done.output + "\n".join(text for _, text in hub.jobs["job0001"].log)
    assert len(hub.jobs) == 1
    view = RunWatch(run).look()
    assert view.state == "finished" and view.has_model and view.story.evaluated is not None
    assert json.loads(run.evaluation_json.read_text())["n"] == view.story.evaluated.n
    lines = run.events.read_text().splitlines()
    assert len(lines) == len(set(lines)) and '"eval"' in run.events.read_text()
    assert not hub.repos, "recordings and model are deleted from the Hub when all is here"
    assert "nothing more comes" in call("jobs", "--attach", run.path).stderr

    assert hub.jobs["job0001"].asked["secrets"] == {"HF_TOKEN": SECRET}
    assert SECRET.encode() not in output and SECRET not in done.output
    assert not any(SECRET.encode() in arguments for arguments in seen)
    assert SECRET not in str(hub.jobs["job0001"].log) + str(hub.jobs["job0001"].asked["command"])
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file


def _alive(path: Path) -> bool:
    try:
        path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return True


@pytest.mark.slow
def test_a_cohort_has_a_state_for_each_and_one_table(
    hub: Hub, machine: Callable[[str], None], voice: VoiceFolder, trained_run: RunFolder, tmp_path: Path
) -> None:
    ben = copy_voice(trained_run, tmp_path / "voices" / "ben")
    machine(f'case "$*" in *job-ben*) echo no card; exit 3;; esac\nexec "{sys.executable}" -m ownvoice "$@"')
    options = ["--on", "hf-jobs:l4x1", "--parallel", "2", "--yes", "--keep-on-hub"]
    done = call("train", voice.path, ben.path, *options, *SETTINGS)
    assert done.exit_code == 1
    assert "All of it costs at most $6.40." in done.stderr
    assert "the job ended before it was done" in done.stderr and "| no card" in done.stderr
    rows = {row["voice"]: row for row in json.loads(call("jobs", tmp_path / "voices", "--json").stdout)}
    assert (rows["anna"]["state"], rows["ben"]["state"]) == ("finished", "failed")
    assert rows["anna"]["tuned_wer"] is not None and run_of(voice).adapter.is_dir()
    view = RunWatch(run_of(ben)).look()
    assert view.failure is not None and "no card" in view.failure.next_step
    kept = {kind for kind, name in hub.repos if "job-anna" in name}
    assert kept == {"dataset", "model"} and all(repo.private for repo in hub.repos.values())
    sent = hub.repo("dataset", next(name for kind, name in hub.repos if "job-anna" in name))
    table = hub.content(sent.files["data.jsonl"].sha256).decode()
    assert '"source"' not in table and str(tmp_path) not in table


@pytest.mark.slow
@pytest.mark.parametrize("by", ["page", "command", "limit"])
def test_a_job_is_ended(hub: Hub, machine: Callable[[str], None], voice: VoiceFolder, tmp_path: Path, by: str) -> None:
    (tmp_path / "half.py").write_text(HALF_A_RUN)
    machine(f'exec "{sys.executable}" {tmp_path / "half.py"}')
    hours = ["--hours", "0.001"] if by == "limit" else []
    results: list[Result] = []
    train = ["train", voice.path, "--on", "hf-jobs:cpu-basic", "--yes", *hours, *SETTINGS]
    person = threading.Thread(target=lambda: results.append(call(*train)))
    person.start()
    wait_until(lambda: voice.latest_run() is not None and RunWatch(run_of(voice)).look().story.step is not None, 60)
    run = run_of(voice)
    if by == "page":
        assert RunWatch(run).look().state == "running"
        runs.cancel(run)
    elif by == "command":
        assert call("jobs", "--cancel", run.path).exit_code == 0
    person.join(60)
    assert results[0].exit_code == 1, results[0].output
    view = RunWatch(run).look()
    if by == "limit":
        assert view.state == "failed" and "time limit" in results[0].stderr
        assert view.failure is not None and "more time" in view.failure.next_step
    else:
        assert view.state == "cancelled" and "the job was cancelled" in results[0].stderr
    assert hub.jobs["job0001"].ended.is_set() and not hub.repos
    assert "no job works" in call("jobs", "--cancel", run.path).stderr


def test_voices_are_looked_for_where_there_are_none(tmp_path: Path) -> None:
    missing = call("jobs", tmp_path / "voices")
    assert missing.exit_code == 1 and "there is no such folder" in missing.stderr
    none = call("jobs", tmp_path)
    assert none.exit_code == 0 and none.stdout == "" and "Nothing was trained on a rented machine" in none.stderr
    assert call("jobs", tmp_path, "--json").stdout == "[]\n"
