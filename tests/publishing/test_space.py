"""What a demo Space refuses, and how each refusal ends, against a Hub on loopback that builds nothing."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fakes.hub.app import Hub, Token
from ownvoice.cli import cli
from ownvoice.model.source import TINY_WEIGHTS
from ownvoice.publishing.hardware import Hardware
from ownvoice.publishing.record import Published, note_published
from ownvoice.publishing.space import GRADIO, SpaceFacts, space_files
from ownvoice.rundir import RunFolder

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(trained_run: RunFolder, tmp_path: Path) -> RunFolder:
    """A run that trained the whole model, so that nothing has to be merged."""
    shutil.copytree(trained_run.voice.path, tmp_path / "voice", ignore=shutil.ignore_patterns("cache", "export"))
    run = RunFolder(tmp_path / "voice" / "runs" / trained_run.path.name)
    shutil.copytree(TINY_WEIGHTS, run.model)
    shutil.rmtree(run.adapter)
    return run


def publish(*arguments: object) -> Result:
    done = CliRunner().invoke(cli, ["publish", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def as_if_published(hub: Hub, run: RunFolder, *, public: bool) -> None:
    from fakes.hub.app import add_repo

    add_repo(hub, "model", "anna/mine", {"config.json": b"{}"}, private=not public)
    note_published(run.published, "model", Published("anna/mine", public, "", "", ""))


def test_files_are_few_and_pinned() -> None:
    def content(machine: str) -> dict[str, str]:
        facts = SpaceFacts("a/demo", "A: title", "a/model", False, True, Hardware(machine, "Machine", 0.0))
        return {file.path: bytes(file.content).decode() for file in space_files(facts)}  # type: ignore[arg-type]

    files = content("cpu-basic")
    assert set(files) == {"README.md", "app.py", "requirements.txt"}
    lines = files["requirements.txt"].splitlines()
    assert lines[0] == "--extra-index-url https://download.pytorch.org/whl/cpu"
    assert all("==" in line and "+" not in line for line in lines[1:]) and lines[1].startswith("ownvoice[space]==")
    assert not content("t4-small")["requirements.txt"].startswith("--")
    assert f"sdk_version: {GRADIO}" in files["README.md"] and "models:" not in files["README.md"]
    assert "does not" not in files["app.py"] and len(files["app.py"].splitlines()) < 10
    locked = (ROOT / "requirements.lock").read_text().splitlines()
    assert f"gradio=={GRADIO}" in locked, "what a Space installs is what was tested"
    assert (
        "gradio" in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["space"][0]
    )


@pytest.mark.slow
def test_a_private_model_needs_a_token_that_only_reads(
    local_hub: Hub, run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "is not published" in publish("space", run.path, "--yes").stderr
    as_if_published(local_hub, run, public=False)
    assert "needs a token to read it with" in publish("space", run.path, "--yes").stderr
    local_hub.add_token(Token("hf_fine_read", "anna", "fineGrained"))
    local_hub.add_token(Token("hf_stranger", "ben", "read"))
    for token, complaint in (
        ("hf_write", "can do more than read"),
        ("hf_fine", "can do more than read"),
        ("hf_stranger", "this token of ben cannot read the model"),
        ("hf_unknown", "does not accept this access token"),
    ):
        monkeypatch.setenv("OWNVOICE_SPACE_TOKEN", token)
        done = publish("space", run.path, "--yes")
        assert done.exit_code == 1 and complaint in done.stderr, done.stderr
        assert token not in done.output
    assert ("space", "anna/voice-demo") not in local_hub.repos
    monkeypatch.setenv("OWNVOICE_SPACE_TOKEN", "hf_fine_read")
    local_hub.space_stages = ("BUILD_ERROR",)
    publish("space", run.path, "--yes")
    assert local_hub.repo("space", "anna/voice-demo").secrets == {"HF_TOKEN": "hf_fine_read"}


@pytest.mark.slow
def test_a_build_that_fails_ends_in_its_log(local_hub: Hub, run: RunFolder) -> None:
    as_if_published(local_hub, run, public=True)
    local_hub.space_stages = ("BUILDING", "BUILD_ERROR")
    local_hub.build_log = ("Collecting ownvoice", "ERROR: no matching distribution")
    done = publish("space", run.path, "--yes", "--public")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "The Space anna/voice-demo is being built" in done.stderr
    assert "could not be built: build_error" in done.stderr and "| ERROR: no matching distribution" in done.stderr
    space = local_hub.repo("space", "anna/voice-demo")
    assert not space.secrets, "a public model needs no token"


@pytest.mark.slow
def test_a_paid_machine_is_asked_for_with_its_price(local_hub: Hub, run: RunFolder) -> None:
    as_if_published(local_hub, run, public=True)
    done = publish("space", run.path, "--hardware", "t4-small")
    assert done.exit_code == 2 and "has to be confirmed" in done.stderr
    assert "Nvidia T4 - small (t4-small) costs $0.40 an hour" in done.stderr
    none = publish("space", run.path, "--hardware", "a-dream")
    assert none.exit_code == 2 and "Choose one of: cpu-basic, zero-a10g, t4-small" in none.stderr


@pytest.mark.slow
def test_a_space_that_must_be_paid_leaves_recordings_model_and_a_folder(
    local_hub: Hub, run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OWNVOICE_SPACE_TOKEN", "hf_read")
    local_hub.gradio_costs = True
    done = publish("all", run.path, "--space", "--yes")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.count("will be private") == 3, "all three were listed before the one question"
    assert "the Hub asks for payment" in done.stderr
    assert f"python {run.export('space') / 'app.py'}" in done.stderr
    assert {path.name for path in run.export("space").iterdir()} == {"README.md", "app.py", "requirements.txt"}
    assert set(local_hub.repos) == {("dataset", "anna/voice-voice"), ("model", "anna/voice-voxtral")}
    local_hub.gradio_costs = False
    local_hub.space_stages = ("CONFIG_ERROR",)
    local_hub.seen.clear()
    publish("all", run.path, "--space", "--yes")
    assert "app.py" in local_hub.repo("space", "anna/voice-demo").files
    assert local_hub.received("/storage/") == 0, "what had arrived was not sent again"
