"""ownvoice publish and ownvoice card, as a person or a script calls them, against a Hub on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fakes.hub.app import Hub, Token, client_environment
from ownvoice.cli import cli
from ownvoice.data.manifest import read_manifest, revise_utterance
from ownvoice.data.voice_settings import read_voice_settings
from ownvoice.model.source import TINY_WEIGHTS
from ownvoice.publishing.dataset import PRIVATE_CONSENT, PUBLIC_CONSENT
from ownvoice.rundir import RunFolder, VoiceFolder
from voices import make_voice

ROOT = Path(__file__).parents[2]
SECRET = "hf_" + "QwErTyUiOpAsDfGhJkLzXcVbNmQwErTyUi"


@pytest.fixture
def voice(tmp_path: Path) -> VoiceFolder:
    return make_voice(tmp_path / "voice", 12)


@pytest.fixture
def run(trained_run: RunFolder, tmp_path: Path) -> RunFolder:
    shutil.copytree(trained_run.voice.path, tmp_path / "trained", ignore=shutil.ignore_patterns("cache", "export"))
    return RunFolder(tmp_path / "trained" / "runs" / trained_run.path.name)


def publish(*arguments: object) -> Result:
    done = CliRunner().invoke(cli, ["publish", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def as_if_trained_whole(run: RunFolder) -> None:
    """A model in the place of the adapter: nothing has to be merged."""
    shutil.copytree(TINY_WEIGHTS, run.model)
    shutil.rmtree(run.adapter)


def everything(hub: Hub) -> bytes:
    """All that any commit of any repository holds, names included."""
    files = [file for repo in hub.repos.values() for commit in repo.commits for file in commit.files.items()]
    return b"\n".join(path.encode() + b"\n" + hub.content(file.sha256) for path, file in files)


def test_a_data_set_is_private_and_who_it_is_comes_first(local_hub: Hub, voice: VoiceFolder) -> None:
    done = publish("dataset", voice.path, "--yes")
    assert done.exit_code == 0, done.output
    assert done.stdout == f"{local_hub.url}/datasets/anna/voice-voice\n"
    assert done.stderr.startswith("Logged in as anna. This access token may write to: anna, clinic.\n")
    assert "will be private" in done.stderr and "data/test/metadata.jsonl" in done.stderr
    assert local_hub.repo("dataset", "anna/voice-voice").private
    assert len(local_hub.repo("dataset", "anna/voice-voice").commits) == 1
    assert read_voice_settings(voice).consent == PRIVATE_CONSENT

    again = publish("dataset", voice.path, "--json")
    assert again.exit_code == 0, "the consent is on file: nothing has to be asked"
    (row,) = json.loads(again.stdout)
    assert (row["kind"], row["repo"], row["public"]) == ("dataset", "anna/voice-voice", False)


def test_nothing_is_sent_without_a_yes(local_hub: Hub, voice: VoiceFolder) -> None:
    done = publish("dataset", voice.path, "--public")
    assert done.exit_code == 2
    assert "will be PUBLIC: everybody can read and copy it" in done.stderr
    assert PUBLIC_CONSENT in done.stderr and "Say --yes to confirm it" in done.stderr
    assert not local_hub.repos
    assert read_voice_settings(voice).consent == ""


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "code"), [("n", 1), ("y", 0)])
def test_a_person_is_asked(local_hub: Hub, voice: VoiceFolder, tmp_path: Path, answer: str, code: int) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "ownvoice", "publish", "dataset", str(voice.path), "--public"],
        env=client_environment(local_hub, tmp_path / "home", "hf_write"),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.write(ours, f"{answer}\n".encode())
        output, complaints = process.communicate(timeout=120)
    assert process.returncode == code, complaints
    assert "Does the speaker agree to this, and shall it be sent? [y/N]" in complaints
    assert bool(local_hub.repos) == (answer == "y")
    assert output.startswith("http") == (answer == "y")
    if answer == "y":
        assert not local_hub.repo("dataset", "anna/voice-voice").private
        assert read_voice_settings(voice).consent == PUBLIC_CONSENT


def test_what_is_excluded_leaves_the_hub_and_its_history(local_hub: Hub, voice: VoiceFolder) -> None:
    assert publish("dataset", voice.path, "--yes").exit_code == 0
    last = read_manifest(voice).utterances[-1]
    assert last.text.encode() in everything(local_hub)
    revise_utterance(voice, last.audio_path, excluded=True)
    local_hub.seen.clear()
    done = publish("dataset", voice.path, "--public", "--yes")
    assert done.exit_code == 0, done.output
    assert "Left on this computer: 1 excluded recording." in done.stderr
    assert last.text.encode() not in everything(local_hub)
    assert Path(last.audio_path).name.encode() not in everything(local_hub)
    assert not local_hub.repo("dataset", "anna/voice-voice").private
    assert local_hub.received("/storage/") == 0, "no sound had changed"


def test_a_refusal_is_no_success(local_hub: Hub, voice: VoiceFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    local_hub.fail("POST", "/commit/", 403)
    done = publish("dataset", voice.path, "--yes")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "this access token may not do that" in done.stderr.splitlines()[-2]
    assert not voice.published.exists()

    monkeypatch.setenv("HF_TOKEN", "hf_read")
    done = publish("dataset", voice.path, "--yes")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Logged in as anna. This access token may only read.\n")

    monkeypatch.setenv("HF_TOKEN", "hf_unknown")
    assert "does not accept this access token" in publish("dataset", voice.path, "--yes").stderr
    monkeypatch.setenv("HF_TOKEN", "")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(voice.path / "none"))
    assert "nobody is logged in" in publish("dataset", voice.path, "--yes").stderr


def test_withdrawing_deletes_and_says_what_may_remain(local_hub: Hub, voice: VoiceFolder) -> None:
    publish("dataset", voice.path, "--yes", "--repo", "clinic/anna")
    assert publish("withdraw", "dataset", "clinic/anna").exit_code == 2, "nobody can be asked"
    done = publish("withdraw", "dataset", "clinic/anna", "--yes")
    assert done.exit_code == 0, done.output
    assert done.stdout == "clinic/anna is deleted from the Hub.\n"
    assert "What others downloaded until now stays with them" in done.stderr
    assert not local_hub.repos
    assert publish("withdraw", "dataset", "clinic/anna", "--yes").exit_code == 1


@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on(local_hub: Hub, voice: VoiceFolder, tmp_path: Path) -> None:
    stalled = local_hub.fail("PUT", "/storage/", "stall", first=6, times=99)
    environment = client_environment(local_hub, tmp_path / "home", "hf_write")
    command = [sys.executable, "-m", "ownvoice", "publish", "dataset", str(voice.path), "--public", "--yes"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while stalled.met < 6 and time.monotonic() < deadline:
            time.sleep(0.05)
        process.kill()
        assert process.communicate()[0] == b""
    repo = local_hub.repo("dataset", "anna/voice-voice")
    assert repo.private and set(repo.files) == {".gitattributes"}, "nothing half done can be seen"
    local_hub.faults.clear()
    local_hub.seen.clear()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    sounds = [path for path in repo.files if path.endswith(".wav")]
    assert len(sounds) == 12 and not repo.private and len(repo.commits) == 1
    assert len(local_hub.requests("/storage/", "PUT")) <= 12 - 4, "what had arrived was not sent again"


@pytest.mark.slow
def test_the_token_is_nowhere(local_hub: Hub, voice: VoiceFolder, tmp_path: Path) -> None:
    """Not in any file, argument, message or page, whether it goes well or not."""
    local_hub.add_token(Token(SECRET, "anna"))
    local_hub.fail("POST", "/commit/", 403)
    home = tmp_path / "home"
    environment = client_environment(local_hub, home, SECRET) | {"HF_DEBUG": "0"}
    written = ""
    for _ in range(2):  # refused, then done
        with subprocess.Popen(
            [sys.executable, "-m", "ownvoice", "publish", "dataset", str(voice.path), "--public", "--yes"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            while process.poll() is None:
                for arguments in Path("/proc").glob("[0-9]*/cmdline"):
                    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                        assert SECRET.encode() not in arguments.read_bytes()
                time.sleep(0.1)
            written += "".join(process.communicate())
    assert "may not do that" in written and "/datasets/anna/voice-voice" in written
    assert SECRET not in written
    assert local_hub.seen[-1].token == SECRET
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert SECRET.encode() not in file.read_bytes(), file


@pytest.mark.slow
def test_a_card_can_be_read_before(run: RunFolder, tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["card", str(run.path), "--repo", "anna/mine", "--author", "Ann: B"])
    assert done.exit_code == 0, done.output
    assert "# Voxtral for the voice of Ann: B" in done.stdout and 'repo = "anna/mine"' in done.stdout
    shim = [sys.executable, str(ROOT / "scripts" / "generate_model_card.py"), str(run.path)]
    same = subprocess.run(
        [*shim, "--repo", "anna/mine", "--author", "Ann: B"], capture_output=True, text=True, check=True
    )
    assert same.stdout == done.stdout
    none = CliRunner().invoke(cli, ["card", str(tmp_path)])
    assert none.exit_code == 1 and "not a training run" in none.stderr


@pytest.mark.slow
def test_both_at_once_goes_on_where_it_stopped(local_hub: Hub, run: RunFolder) -> None:
    as_if_trained_whole(run)
    local_hub.fail("POST", "/api/models/.*/commit/", 402)
    done = publish("all", run.path, "--yes")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "the Hub asks for payment" in done.stderr
    assert done.stderr.count("will be private") == 2, "both were listed before the one question"
    recordings = local_hub.repo("dataset", "anna/trained-voice")
    (before,) = recordings.commits
    assert set(local_hub.repo("model", "anna/trained-voxtral").files) == {".gitattributes"}
    local_hub.seen.clear()
    done = publish("all", run.path, "--yes", "--json")
    assert [row["repo"] for row in json.loads(done.stdout)] == ["anna/trained-voice", "anna/trained-voxtral"]
    assert recordings.commits == [before]
    assert local_hub.received("/storage/") == 0, "recordings and weights had arrived the first time"
    assert "model.safetensors" in local_hub.repo("model", "anna/trained-voxtral").files


@pytest.mark.slow
def test_the_shim_publishes_a_model_and_the_card_knows_its_place(
    local_hub: Hub, run: RunFolder, tmp_path: Path
) -> None:
    as_if_trained_whole(run)
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "push_to_huggingface.py"), str(run.path), "--repo", "mine", "--json"],
        env=client_environment(local_hub, tmp_path / "home", "hf_write"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [row["repo"] for row in json.loads(done.stdout)] == ["anna/mine"]
    assert "no recording is in it" in done.stderr and "without any words that were said" in done.stderr
    repo = local_hub.repo("model", "anna/mine")
    assert repo.private and "model.safetensors" in repo.files
    assert not any(re.search(r"\.(wav|pt|bin)$|checkpoint|optim", path) for path in repo.files)
    card = CliRunner().invoke(cli, ["card", str(run.path)]).stdout
    assert 'repo = "anna/mine"' in card and "**A whole model.**" in card
