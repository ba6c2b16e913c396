"""A run's model as a repository: exactly what makes it load, and nothing of this computer or of the words."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from ownvoice.config import TrainingSettings
from ownvoice.errors import ModelError
from ownvoice.model.source import TINY_WEIGHTS
from ownvoice.publishing.card import Wishes
from ownvoice.publishing.files import RepoFile, refuse_traces
from ownvoice.publishing.model import describe_model, hub_base, is_ours, model_repository
from ownvoice.rundir import RunFolder

HUB_BASE = "someone/tiny-voxtral"


@pytest.fixture
def run(trained_run: RunFolder, tmp_path: Path) -> RunFolder:
    """A copy of the trained run that says it began with a model of the Hub."""
    voice = tmp_path / "voice"
    shutil.copytree(trained_run.voice.path, voice, ignore=shutil.ignore_patterns("cache"))
    run = RunFolder(voice / "runs" / trained_run.path.name)
    say_base(run, HUB_BASE)
    return run


def say_base(run: RunFolder, base: str) -> None:
    TrainingSettings.load(run.config).model_copy(update={"base_model": base}).save(run.config)
    adapter = run.adapter / "adapter_config.json"
    adapter.write_text(json.dumps(json.loads(adapter.read_text()) | {"base_model_name_or_path": base}))


def repository(run: RunFolder, *, dataset: str | None = None, readable: tuple[str, ...] = ()) -> dict[str, RepoFile]:
    facts = describe_model(
        run,
        "adapter",
        base=TINY_WEIGHTS,
        repo="anna/m",
        author="anna",
        dataset=dataset,
        quantisation=None,
        wishes=Wishes(),
    )
    files = model_repository(facts, weights=run.adapter, base=TINY_WEIGHTS, public_phrases=readable)
    return {file.path: file for file in files}


def parsed(file: RepoFile) -> Any:
    assert isinstance(file.content, bytes)
    return json.loads(file.content)


@pytest.mark.slow
def test_exactly_the_files_that_belong(run: RunFolder) -> None:
    (run.adapter / "optimizer.pt").write_bytes(b"state")
    shutil.copy(run.voice.wavs / "0001.wav", run.adapter)
    files = repository(run)
    assert set(files) == {
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "config.json",
        "processor_config.json",
        "tekken.json",
        "training_config.yaml",
        "evaluation.json",
    }
    assert all(is_ours(path) for path in files)
    assert not is_ours("my-notes.txt") and not is_ours("data/a.wav")
    assert parsed(files["adapter_config.json"])["base_model_name_or_path"] == HUB_BASE
    refuse_traces(files.values(), [run.voice.path])


@pytest.mark.slow
def test_words_stay_private_with_the_recordings(run: RunFolder) -> None:
    evaluation = json.loads(run.evaluation_json.read_text())
    evaluation["names"] = [{"name": "Grandma Rosa"}]
    run.evaluation_json.write_text(json.dumps(evaluation))
    said = [phrase["text"] for phrase in evaluation["phrases"]]

    hidden = repository(run)["evaluation.json"]
    assert isinstance(hidden.content, bytes)
    for phrase in evaluation["phrases"]:
        for words in (phrase["text"], phrase["tuned"]["text"], phrase["audio"], phrase["id"]):
            assert words.encode() not in hidden.content
    figures = parsed(hidden)
    assert figures["tuned"] == evaluation["tuned"] and figures["n"] == len(said)
    assert [phrase["tuned"]["wer"] for phrase in figures["phrases"]] == [
        p["tuned"]["wer"] for p in evaluation["phrases"]
    ]

    readable = tuple(phrase["id"] for phrase in evaluation["phrases"][1:])
    shown = parsed(repository(run, dataset="anna/voice", readable=readable)["evaluation.json"])
    assert [phrase.get("text") for phrase in shown["phrases"]] == [None, *said[1:]]
    assert "names" not in shown


@pytest.mark.slow
def test_a_base_of_this_computer_is_never_named(run: RunFolder, tmp_path: Path) -> None:
    say_base(run, str(tmp_path))
    assert hub_base(TrainingSettings.load(run.config)) is None
    with pytest.raises(ModelError, match="not on the Hub, so nobody else could load it") as refusal:
        repository(run)
    assert "--format merged" in str(refusal.value)
    facts = describe_model(
        run, "merged", base=TINY_WEIGHTS, repo="a/m", author="a", dataset=None, quantisation=None, wishes=Wishes()
    )
    files = {
        file.path: file for file in model_repository(facts, weights=TINY_WEIGHTS, base=TINY_WEIGHTS, public_phrases=())
    }
    settings = files["training_config.yaml"].content
    assert isinstance(settings, bytes)
    assert yaml.safe_load(settings)["base_model"] == "not on the Hub"


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["adapter_model.safetensors", "adapter_config.json"])
def test_half_a_model_is_refused(run: RunFolder, missing: str) -> None:
    (run.adapter / missing).unlink()
    with pytest.raises(ModelError, match=f"not whole: {missing} is missing"):
        repository(run)
