"""``ownvoice export``: a run in other forms, and what it says about them."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from ownvoice.cli import cli
from ownvoice.config import LoraSettings, TrainingSettings
from ownvoice.data.manifest import read_manifest
from ownvoice.data.split import save_split, split_utterances
from ownvoice.model.adapters import add_lora
from ownvoice.model.load import load_recogniser
from ownvoice.rundir import RunFolder
from voices import make_voice


@pytest.fixture(scope="module")
def trained(small_voxtral: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """What LoRA training leaves behind, with an adapter as it starts; not to be written to."""
    voice = make_voice(tmp_path_factory.mktemp("export") / "voice")
    run = voice.new_run()
    TrainingSettings(base_model=str(small_voxtral), scope="both").save(run.config)
    save_split(run, split_utterances(read_manifest(voice).utterances, seed=0))
    model = load_recogniser(small_voxtral, device="cpu").model
    add_lora(model, "both", LoraSettings(rank=2), seed=0, base_name=str(small_voxtral)).save_pretrained(run.adapter)
    return run


@pytest.fixture
def run(trained: RunFolder, tmp_path: Path) -> RunFolder:
    shutil.copytree(trained.voice.path, tmp_path / "voice")
    return RunFolder(tmp_path / "voice" / "runs" / trained.path.name)


def export(*arguments: object) -> dict[str, object]:
    done = CliRunner().invoke(cli, ["export", *map(str, arguments), "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_merged_model_writes_what_the_run_writes(run: RunFolder) -> None:
    made = export(run.path)
    folder = run.export("merged")
    assert made["folder"] == str(folder)
    assert made["same_transcripts"] == made["n"] == len(json.loads(run.split.read_text())["test"])
    assert made["wer_export"] == made["wer_run"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_adapter_for_vllm_comes_with_the_command_that_serves_it(run: RunFolder, tmp_path: Path) -> None:
    made = export(run.path, "--format", "vllm-adapter", "--to", tmp_path / "out")
    assert f"--lora-modules me={tmp_path / 'out'}" in str(made["use"])
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"adapter_config.json", "adapter_model.safetensors"}


def test_built_in_model_in_mistrals_layout(tmp_path: Path) -> None:
    export("tiny", "--format", "mistral", "--to", tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"consolidated.safetensors", "params.json", "tekken.json"}


@pytest.mark.slow
@pytest.mark.parametrize("how", ["int8", "nf4"])
def test_fewer_bits_come_with_their_word_error_rate(run: RunFolder, how: str) -> None:
    pytest.importorskip("bitsandbytes")
    made = export(run.path, "--quantize", how)
    beside = json.loads((run.export(f"merged-{how}") / "quantisation.json").read_text())
    assert beside == {key: made[key] for key in ("quantised", "n", "wer_run", "wer_export")}


def test_what_cannot_be_exported_is_said(run: RunFolder, tmp_path: Path) -> None:
    def refused(*arguments: object) -> str:
        done = CliRunner().invoke(cli, ["export", *map(str, arguments)])
        assert done.exit_code in {1, 2}
        assert done.stdout == ""
        return done.stderr

    assert "Give --to" in refused("tiny")
    assert "only --format merged can be quantised" in refused(run.path, "--format", "mistral", "--quantize", "nf4")
    assert "there is something here already" in refused(run.path, "--to", tmp_path)
    assert "the whole model was trained" in refused("tiny", "--format", "vllm-adapter", "--to", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert list(tmp_path.glob(".*")) == [], "nothing half-written stays"
