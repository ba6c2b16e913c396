"""A server shared by the tests of a module, and runs of different voices to serve."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from live_server import Server, serving
from ownvoice.config import LoraSettings, TrainingSettings
from ownvoice.model.adapters import add_lora, trained_tensors
from ownvoice.model.load import load_recogniser
from ownvoice.rundir import RunFolder


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving("tiny") as running:
        yield running


@pytest.fixture(scope="session")
def three_voices(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Runs over the built-in model whose adapters differ so much that each writes something else."""
    folder = tmp_path_factory.mktemp("voices")
    runs = {}
    for number, name in enumerate(("ana", "ben", "cem")):
        run = RunFolder(folder / name / "runs" / "first")
        run.path.mkdir(parents=True)
        TrainingSettings(base_model="tiny", language="en").save(run.config)
        model = load_recogniser("tiny", device="cpu").model
        lora = add_lora(model, "both", LoraSettings(rank=2), seed=number, base_name="tiny")
        torch.manual_seed(number)
        for parameter in trained_tensors(model).values():
            torch.nn.init.normal_(parameter, std=0.05)
        lora.save_pretrained(run.adapter, save_embedding_layers=False)
        runs[name] = run.path
    return runs
