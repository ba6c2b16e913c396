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

from fakes.hub.app import Hub, Token, add_repo, client_environment
from ownvoice.cli import cli
from ownvoice.config import TrainingSettings
from ownvoice.model.source import TINY_WEIGHTS
from ownvoice.rundir import RunFolder

BASE = "someone/tiny-voxtral"

FINDS = """
import io, json, re, sys
from pathlib import Path

import soundfile
from datasets import Audio, load_dataset
from huggingface_hub import hf_hub_download

voice = load_dataset("anna/voice-voice")
test = voice["test"].cast_column("audio", Audio(decode=False))
texts = {}
for number, row in enumerate(test):
    sound = row["audio"]["bytes"] or Path(row["audio"]["path"]).read_bytes()
    samples, rate = soundfile.read(io.BytesIO(sound))
    assert rate == 16000 and abs(len(samples) / rate - row["duration"]) < 0.01
    Path(f"{number}.wav").write_bytes(sound)
    texts[f"{number}.wav"] = row["text"]
Path("recording.wav").write_bytes(Path("0.wav").read_bytes())
said = {"rows": {name: len(rows) for name, rows in voice.items()}, "columns": voice["train"].column_names}
for repo in sys.argv[1:]:
    card = Path(hf_hub_download(repo, "README.md")).read_text()
    (snippet,) = re.findall(r"```python\\n(.*?)```", card, re.S)
    names = {}
    exec(snippet, names)
    said[repo] = [[text, names["transcribe"](name)] for name, text in texts.items()]
print(json.dumps(said))
"""


def stand_in_for_torchcodec(folder: Path) -> Path:
    """``datasets`` will not read a folder of sound without torchcodec, which needs FFmpeg; it uses none of it here."""
    (folder / "torchcodec").mkdir(parents=True)
    for name, content in (
        ("__init__", ""),
        ("encoders", "class AudioEncoder: ..."),
        ("decoders", "class AudioDecoder: ...\nclass VideoDecoder: ..."),
    ):
        (folder / "torchcodec" / f"{name}.py").write_text(content + "\n")
    return folder


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

    local_hub.add_token(Token("hf_finder", "ben", "read"))
    place = tmp_path / "elsewhere"
    place.mkdir()
    environment = client_environment(local_hub, tmp_path / "empty", "hf_finder")
    environment["PYTHONPATH"] = str(stand_in_for_torchcodec(tmp_path / "stand-in"))
    models = ["anna/voice-voxtral", "anna/adapter"]
    done = subprocess.run(
        [sys.executable, "-c", FINDS, *models], env=environment, cwd=place, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])

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
