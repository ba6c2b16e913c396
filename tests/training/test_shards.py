"""Weights spread over two processes by FSDP2: what one process learns, and files that know nothing of it.

accelerate spreads weights over graphics cards alone; here it is told that the CPU is one, and gloo carries the parts.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.utils import DistributedType
from killable import settings, train_clips, train_together
from safetensors.torch import load_file
from test_processes import another, exit_codes, losses, of_kind, two_processes, wait_for
from torch.distributed.fsdp import FSDPModule

from ownvoice import events
from ownvoice.config import TrainingSettings
from ownvoice.model.load import load_recogniser
from ownvoice.model.loss import LabelLoss
from ownvoice.rundir import RunFolder
from ownvoice.training.ending import ask
from ownvoice.training.examples import Clip

RECIPES = Path(__file__).parents[2] / "recipes" / "accelerate"
BATCHES = {"batch_size": 2, "accumulate": 2, "epochs": 2, "dev": {"every": 1, "patience": 9}}


@pytest.mark.parametrize("recipe", sorted(RECIPES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_recipe_spreads_the_layers_of_a_voxtral(recipe: Path, small_voxtral: Path) -> None:
    config = load_config_from_file(str(recipe))
    assert (config.distributed_type, config.fsdp_config["fsdp_version"]) == (DistributedType.FSDP, 2)
    kinds = {type(module).__name__ for module in load_recogniser(small_voxtral).model.modules()}
    assert set(config.fsdp_config["fsdp_transformer_layer_cls_to_wrap"].split(",")) <= kinds
    assert str(recipe.relative_to(RECIPES.parents[1])) in recipe.read_text()  # the command that uses it


def train_sharded(rank: int, port: int, run: RunFolder, chosen: TrainingSettings, clips: Sequence[Clip]) -> None:
    from accelerate import PartialState

    from ownvoice.training.processes import join_group

    recipe = load_config_from_file(str(RECIPES / f"mini-{chosen.method}.yaml")).fsdp_config
    for key, value in recipe.items():  # as accelerate launch hands them on
        name = "FSDP_TRANSFORMER_CLS_TO_WRAP" if key == "fsdp_transformer_layer_cls_to_wrap" else key.upper()
        os.environ[name] = str(value).lower() if isinstance(value, bool) else str(value)
    os.environ["ACCELERATE_USE_FSDP"] = "true"
    os.environ |= {"WORLD_SIZE": "2", "RANK": str(rank), "LOCAL_RANK": str(rank), "OMP_NUM_THREADS": "1"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    join_group()
    spread: list[bool] = []
    torch.nn.modules.module.register_module_forward_pre_hook(
        lambda module, inputs: spread.append(isinstance(module, FSDPModule) and isinstance(module, LabelLoss))
    )
    PartialState._shared_state["distributed_type"] = DistributedType.MULTI_GPU
    train_together(rank, port, run, chosen, clips)
    assert any(spread)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["lora", "full"])
def test_spread_weights_learn_the_same_and_one_process_goes_on_with_them(
    small_voxtral: Path, clips: list[Clip], run: RunFolder, method: str
) -> None:
    """Paused in its last look at the dev set: what is left is one process's to do, with what two have written."""
    chosen = settings(small_voxtral, **BATCHES, method=method)
    whole = another(run, "whole")
    train_clips(whole, chosen, clips)
    with two_processes(run, chosen, clips, train_sharded) as both:
        wait_for(run, events.Step, 4)
        ask(run, "pause")
        assert exit_codes(both) == [1, 0]
    assert len(of_kind(run, events.Paused)) == 1
    train_clips(run, chosen, clips, resume=True)
    assert losses(run) == pytest.approx(losses(whole), abs=1e-4)
    assert of_kind(run, events.Done)[-1].dev_wer == of_kind(whole, events.Done)[-1].dev_wer
    load_recogniser(run.path)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["lora", "full"])
def test_model_of_spread_weights_is_whole(small_voxtral: Path, clips: list[Clip], run: RunFolder, method: str) -> None:
    chosen = settings(small_voxtral, **BATCHES | {"epochs": 1}, method=method)
    whole = another(run, "whole")
    train_clips(whole, chosen, clips)
    with two_processes(run, chosen, clips, train_sharded) as both:
        assert exit_codes(both) == [0, 0]
    file = "adapter/adapter_model.safetensors" if method == "lora" else "model/model.safetensors"
    written, expected = load_file(run.path / file), load_file(whole.path / file)
    assert written.keys() == expected.keys()
    assert all(written[name].sub(expected[name]).abs().max() < 1e-4 for name in expected)
    assert losses(run) == pytest.approx(losses(whole), abs=1e-4)
