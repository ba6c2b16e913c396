"""Checkpoints give back exactly what was put in, and say when they cannot."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ownvoice.config import TrainingSettings
from ownvoice.errors import TrainingError
from ownvoice.rundir import RunFolder
from ownvoice.training.checkpoint import Best, State, latest_checkpoint, load_checkpoint, save_checkpoint
from ownvoice.training.optimiser import make_optimiser


def network(seed: int) -> tuple[dict[str, torch.nn.Parameter], torch.optim.Optimizer]:
    torch.manual_seed(seed)
    parameters = {"a.weight": torch.nn.Parameter(torch.randn(3, 2)), "b": torch.nn.Parameter(torch.randn(4))}
    return parameters, torch.optim.AdamW(parameters.values(), lr=0.1, fused=True)


def take_step(parameters: dict[str, torch.nn.Parameter], optimiser: torch.optim.Optimizer) -> None:
    sum((parameter**2).sum() for parameter in parameters.values()).backward()
    optimiser.step()
    optimiser.zero_grad()


def test_going_on_from_a_checkpoint_is_going_on(tmp_path: Path) -> None:
    run, state = RunFolder(tmp_path), State("me", step=1, loss=2.5, seconds=3.0, best=Best(1, 0.25, 1.5))
    parameters, optimiser = network(0)
    take_step(parameters, optimiser)
    save_checkpoint(run, state, parameters, optimiser)
    take_step(parameters, optimiser)
    other, other_optimiser = network(1)
    assert load_checkpoint(tmp_path / "checkpoints" / "step-1", other, other_optimiser) == state
    take_step(other, other_optimiser)
    assert all(torch.equal(other[name], parameters[name]) for name in parameters)


def test_only_the_newest_complete_one_is_kept(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert latest_checkpoint(run) is None
    parameters, optimiser = network(0)
    for step in (9, 10):
        save_checkpoint(run, State("me", step=step), parameters, optimiser)
    (run.checkpoints / "step-11").mkdir()  # incomplete: no state
    assert latest_checkpoint(run) == run.checkpoints / "step-10"
    assert not (run.checkpoints / "step-9").exists()


@pytest.mark.parametrize("damage", ["state.json", "weights.safetensors", "optimiser.safetensors"])
def test_damaged_checkpoint_is_refused(tmp_path: Path, damage: str) -> None:
    path = save_checkpoint(RunFolder(tmp_path), State("me"), *network(0))
    content = (path / damage).read_bytes()
    (path / damage).write_bytes(content[: len(content) // 2])
    with pytest.raises(TrainingError, match="cannot be used"):
        load_checkpoint(path, *network(0))


def test_checkpoint_of_other_tensors_is_refused(tmp_path: Path) -> None:
    path = save_checkpoint(RunFolder(tmp_path), State("me"), *network(0))
    parameters, optimiser = network(0)
    parameters["c"] = parameters.pop("b")
    with pytest.raises(TrainingError, match="cannot be used"):
        load_checkpoint(path, parameters, optimiser)


def test_best_is_lower_wer_then_lower_loss() -> None:
    best = Best(1, wer=0.3, loss=2.0)
    assert best.beats(None)
    assert Best(2, 0.2, 9.0).beats(best)
    assert Best(2, 0.3, 1.9).beats(best)
    assert not Best(2, 0.3, 2.0).beats(best)
    assert not Best(2, 0.4, 0.1).beats(best)


def test_moments_in_8_bits_go_on_too(tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes")
    chosen = TrainingSettings.make({"optimiser": {"eight_bit": True, "weight_decay": 0.01}})

    def wide(seed: int) -> tuple[dict[str, torch.nn.Parameter], torch.optim.Optimizer]:
        torch.manual_seed(seed)  # under 4096 values bitsandbytes keeps 32 bits; the tables of larger ones are shared
        sizes = {"a": (100, 100), "b": (4,), "c": (50, 100)}
        parameters = {name: torch.nn.Parameter(torch.randn(size)) for name, size in sizes.items()}
        return parameters, make_optimiser(parameters.values(), chosen, 0.01)

    parameters, optimiser = wide(0)
    for _ in range(3):
        take_step(parameters, optimiser)
    assert optimiser.state[parameters["a"]]["state1"].dtype == torch.uint8
    save_checkpoint(RunFolder(tmp_path), State("me", step=3), parameters, optimiser)
    other, other_optimiser = wide(1)
    load_checkpoint(tmp_path / "checkpoints" / "step-3", other, other_optimiser)
    for both in ((parameters, optimiser), (other, other_optimiser)):
        take_step(*both)
    assert all(torch.equal(other[name], parameters[name]) for name in parameters)
