"""The best model so far is kept on this computer alone; what a killed process left half-written is cleared."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import constants

from ownvoice.config import LoraSettings
from ownvoice.model.adapters import add_lora
from ownvoice.model.load import load_recogniser
from ownvoice.rundir import RunFolder
from ownvoice.training.keep import clear_unfinished, keep_best


def test_half_written_models_and_checkpoints_are_cleared(run: RunFolder) -> None:
    for half in (run.path / ".adapter.new-1", run.path / ".model.old", run.checkpoints / ".step-20.new-2"):
        half.mkdir(parents=True)
    (run.checkpoints / "step-10").mkdir()
    (run.path / ".model.old" / "config.json").write_text("{}")
    clear_unfinished(run)
    assert sorted(path.name for path in run.path.iterdir()) == ["checkpoints", "model"]
    assert [path.name for path in run.checkpoints.iterdir()] == ["step-10"]
    assert (run.model / "config.json").exists(), "it was being replaced, so the old one is the last whole one"


def test_saving_an_adapter_asks_nobody_about_its_base(
    run: RunFolder, small_voxtral: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def refuse(*address: object, **rest: object) -> list[object]:
        asked.append(address)
        raise OSError("this test has no network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    base = load_recogniser(str(small_voxtral))
    adapter = add_lora(base.model, "decoder", LoraSettings(), seed=0, base_name="somebody/a-voxtral")
    keep_best(run, replace(base, adapter=adapter))
    assert (run.adapter / "adapter_model.safetensors").is_file()
    assert asked == []
