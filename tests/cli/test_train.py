"""ownvoice train and its two shims, as a person or a program calls them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ownvoice import events
from ownvoice.cli import cli
from ownvoice.config import TrainingSettings
from ownvoice.rundir import RunFolder, VoiceFolder
from voices import make_voice

ROOT = Path(__file__).parents[2]
QUICK = ["--epochs", "1", "--batch-size", "12"]


@pytest.fixture
def voice(tmp_path: Path) -> VoiceFolder:
    return make_voice(tmp_path / "voice")


def test_json_is_the_only_thing_on_stdout(voice: VoiceFolder, small_voxtral: Path) -> None:
    arguments = ["train", str(voice.path), "--base-model", str(small_voxtral), *QUICK, "--json"]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert set(answer) == {"run", "steps", "loss", "dev_wer"}
    assert (Path(answer["run"]) / "adapter" / "adapter_model.safetensors").is_file()
    assert "Training on CPU" in done.stderr and "WER on the dev set" in done.stderr


def test_text_is_the_folder_of_the_run_and_a_recipe_is_followed(
    voice: VoiceFolder, small_voxtral: Path, tmp_path: Path
) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(f"base_model: {small_voxtral}\nepochs: 1\nbatch_size: 12\nmethod: full\nlora: {{rank: 2}}\n")
    done = CliRunner().invoke(cli, ["train", str(voice.path), "--recipe", str(recipe), "--scope", "encoder"])
    assert done.exit_code == 0, done.output
    settings = TrainingSettings.load(RunFolder(Path(done.stdout.strip())).config)
    assert (settings.method, settings.scope, settings.epochs, settings.lora.rank) == ("full", "encoder", 1, 2)


@pytest.mark.parametrize(("shim", "method"), [("train.py", "full"), ("train_lora.py", "lora")])
def test_shims_import_a_table_and_train(
    shim: str, method: str, voice: VoiceFolder, small_voxtral: Path, tmp_path: Path
) -> None:
    table = tmp_path / "mine.jsonl"
    lines = voice.manifest.read_text().replace("wavs/", "voice/wavs/")
    table.write_text(lines)
    command = [sys.executable, str(ROOT / shim), "--dataset-jsonl", "mine.jsonl", "--base-model", str(small_voxtral)]
    done = subprocess.run([*command, *QUICK], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "in the voice folder mine-voice" in done.stderr
    run = RunFolder(tmp_path / done.stdout.strip())
    assert run.voice.path == tmp_path / "mine-voice"
    assert TrainingSettings.load(run.config).method == method


@pytest.mark.slow
def test_control_c_leaves_a_run_that_goes_on(voice: VoiceFolder, small_voxtral: Path) -> None:
    command = [sys.executable, "-m", "ownvoice", "train", str(voice.path), "--base-model", str(small_voxtral)]
    training = subprocess.Popen(
        [*command, "--epochs", "1000", "--dev-patience", "1000"],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert training.stderr is not None
    looks = (line for line in training.stderr if "WER on the dev set" in line)
    assert next(looks) and next(looks)  # by the second there is a checkpoint of the first
    training.send_signal(signal.SIGINT)
    output, complaints = training.communicate(timeout=60)
    assert training.returncode == 130
    assert output == ""
    assert f"ownvoice train {voice.path} --resume" in complaints
    assert "Traceback" not in complaints

    run = voice.latest_run()
    assert run is not None
    kinds = {type(event) for event in events.read_events(run.events)}
    assert events.Checkpoint in kinds and events.Done not in kinds


@pytest.mark.parametrize("recipe", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_recipe_can_be_loaded(recipe: Path) -> None:
    assert TrainingSettings.load(recipe).model_dump(exclude_unset=True)


def test_help_has_every_setting_with_its_default() -> None:
    text = CliRunner().invoke(cli, ["train", "--help"], terminal_width=200).stdout
    assert "--base-model TEXT" in text and "[default: mistralai/Voxtral-Mini-3B-2507]" in text
    assert "--scope [decoder|encoder|both]" in text
