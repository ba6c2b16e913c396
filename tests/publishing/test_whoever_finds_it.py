"""What is published works for whoever finds it: a new process with an empty cache reads it from the local Hub."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from fakes.hub.app import Hub, add_repo, client_environment
from finder import find
from ownvoice.cli import cli
from ownvoice.config import TrainingSettings
from ownvoice.model.source import TINY_WEIGHTS
from ownvoice.rundir import RunFolder

BASE = "someone/tiny-voxtral"


def run_with_base_on_the_hub(trained: RunFolder, folder: Path) -> RunFolder:
    """The same run in a voice of its own, as if it had begun with a model of the Hub that has the same weights."""
    shutil.copytree(trained.voice.path, folder, ignore=shutil.ignore_patterns("cache", "export", "published.json"))
    run = RunFolder(folder / "runs" / trained.path.name)
    TrainingSettings.load(run.config).model_copy(update={"base_model": BASE}).save(run.config)
    return run


def publish(*arguments: object) -> str:
    done = CliRunner().invoke(cli, ["publish", *map(str, arguments), "--public", "--yes"])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.slow
def test_data_set_model_and_adapter_work_from_an_empty_cache(
    local_hub: Hub, trained_run: RunFolder, tmp_path: Path
) -> None:
    voice = tmp_path / "voice"
    shutil.copytree(trained_run.voice.path, voice)
    run = RunFolder(voice / "runs" / trained_run.path.name)
    addresses = publish("all", run.path).split()
    assert addresses == [f"{local_hub.url}/datasets/anna/voice-voice", f"{local_hub.url}/anna/voice-voxtral"]
    add_repo(
        local_hub, "model", BASE, {path.name: path.read_bytes() for path in TINY_WEIGHTS.iterdir() if path.is_file()}
    )
    adapted = run_with_base_on_the_hub(trained_run, tmp_path / "adapted")
    publish("model", adapted.path, "--repo", "anna/adapter")
    assert set(local_hub.repo("model", "anna/adapter").files) >= {"adapter_model.safetensors", "tekken.json"}
    assert "model.safetensors" not in local_hub.repo("model", "anna/adapter").files

    models = ["anna/voice-voxtral", "anna/adapter"]
    found = find(local_hub, tmp_path, "anna/voice-voice", models)

    evaluation = json.loads(run.evaluation_json.read_text())
    split = json.loads(run.split.read_text())
    assert found["rows"] == {
        "train": len(split["train"]),
        "validation": len(split["dev"]),
        "test": len(split["test"]),
    }
    assert found["columns"] == ["audio", "text", "duration", "language", "phrase_id", "take"]
    expected = sorted([phrase["text"], phrase["tuned"]["text"]] for phrase in evaluation["phrases"])
    for model in models:
        assert sorted(found[model]) == expected, "the tuned transcripts, letter for letter: so the tuned WER too"
    assert expected != sorted([phrase["text"], phrase["base"]["text"]] for phrase in evaluation["phrases"])


@pytest.mark.slow
def test_a_published_data_set_comes_back_by_ownvoice_import(
    local_hub: Hub, trained_run: RunFolder, tmp_path: Path
) -> None:
    voice = tmp_path / "voice"
    shutil.copytree(trained_run.voice.path, voice, ignore=shutil.ignore_patterns("cache"))
    publish("dataset", voice)
    done = subprocess.run(
        [sys.executable, "-m", "ownvoice", "import", "hub:anna/voice-voice::test", "back", "--json"],
        env=client_environment(local_hub, tmp_path / "home", "hf_read"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    split = json.loads((voice / "runs" / trained_run.path.name / "split.json").read_text())
    texts = re.findall(r'"text": "([^"]+)"', (tmp_path / "back" / "data.jsonl").read_text())
    assert len(texts) == len(split["test"])
