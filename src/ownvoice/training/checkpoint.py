"""States a run can go on from: ``RUN/checkpoints/step-N/``, complete or absent.

    state.json                  step, best so far, patience, and what the run is of (see :class:`State`)
    weights.safetensors         the trained tensors by name
    optimiser.safetensors       AdamW's moments as NAME:FIELD, in 32 or in 8 bits

No dice are kept: every random choice is a function of the seed and the step (:mod:`ownvoice.training.plan`), and so is
the learning rate. Only tensors and JSON are read back, never pickled objects.
"""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from ownvoice.errors import TrainingError
from ownvoice.rundir import RunFolder
from ownvoice.training.durable import place_folder
from ownvoice.training.processes import ALONE, ProcessGroup
from ownvoice.training.shards import gathered, laid_out

_NAME = re.compile(r"step-(\d+)")
_STATE, _WEIGHTS, _OPTIMISER = "state.json", "weights.safetensors", "optimiser.safetensors"

Parameters = dict[str, torch.nn.Parameter]


@dataclass(frozen=True)
class Best:
    """The look at the dev set that was best so far."""

    step: int
    wer: float
    loss: float

    def beats(self, other: Best | None) -> bool:
        """Lower WER, or the same WER and lower loss; the first look beats none."""
        return other is None or (self.wer, self.loss) < (other.wer, other.loss)


@dataclass(frozen=True)
class State:
    """How far a run is."""

    run: str
    """Identifies settings and data; a run goes on only with the same."""
    step: int = 0
    """Optimiser steps done."""
    loss: float = 0.0
    """Training loss of the last step."""
    seconds: float = 0.0
    """Time spent so far."""
    best: Best | None = None
    looks_since_best: int = 0
    """Looks at the dev set that brought nothing better."""
    looked: int = 0
    """Step of the last look: a run stopped before a look that was due takes it first when it goes on."""
    halvings: int = 0
    """How often forward passes were halved because memory ran out (:class:`ownvoice.training.step.StepGradients`)."""


def save_checkpoint(
    run: RunFolder,
    state: State,
    parameters: Parameters,
    optimiser: torch.optim.Optimizer,
    group: ProcessGroup = ALONE,
) -> Path:
    """Write a checkpoint, and only when it is complete remove older ones; every process of ``group`` calls this.

    Raises
    ------
    StorageError
        when it cannot be written; the last checkpoint is then still there.
    """
    fields = (  # bitsandbytes counts its steps with an int, and all its moments share two tables of 256 values
        (f"{name}:{field}", value.clone() if field.startswith("qmap") else torch.as_tensor(value))
        for name, parameter in parameters.items()
        for field, value in optimiser.state[parameter].items()
    )
    moments, weights = gathered(fields, group), gathered(parameters.items(), group)
    return group.by_main(lambda: _write(run, state, weights, moments))


def _write(run: RunFolder, state: State, weights: dict[str, torch.Tensor], moments: dict[str, torch.Tensor]) -> Path:

    def fill(folder: Path) -> None:
        save_file(weights, folder / _WEIGHTS)
        save_file(moments, folder / _OPTIMISER)
        (folder / _STATE).write_text(json.dumps(dataclasses.asdict(state), indent=1), encoding="utf-8")

    path = run.checkpoints / f"step-{state.step}"
    place_folder(path, fill)
    for older in _all(run):
        if older != path:
            shutil.rmtree(older, ignore_errors=True)
    return path


def latest_checkpoint(run: RunFolder) -> Path | None:
    """The checkpoint of the highest step, or None."""
    return max(_all(run), key=_step, default=None)


def checkpoint_step(run: RunFolder) -> int:
    """The step a resumed run goes on from: 0 where there is no checkpoint yet."""
    path = latest_checkpoint(run)
    return _step(path) if path else 0


def load_checkpoint(path: Path, parameters: Parameters, optimiser: torch.optim.Optimizer) -> State:
    """Put weights and moments back in place and return the state.

    Raises
    ------
    TrainingError
        when the checkpoint is damaged or belongs to other tensors.
    """
    try:
        values = json.loads((path / _STATE).read_text(encoding="utf-8"))
        best = Best(**values.pop("best")) if values["best"] else None
        weights, moments = load_file(path / _WEIGHTS), load_file(path / _OPTIMISER)
        state = State(**{**values, "best": best})
        if weights.keys() != parameters.keys():
            raise KeyError(f"{len(weights)} tensors were saved and {len(parameters)} are trained")
        with torch.no_grad():
            for name, parameter in parameters.items():
                parameter.copy_(laid_out(weights[name], like=parameter))
        for key, tensor in moments.items():
            name, _, field = key.rpartition(":")
            parameter = parameters[name]
            is_count = tensor.dim() == 0 and not tensor.is_floating_point()
            placed = laid_out(tensor, like=parameter) if tensor.dim() else tensor.to(parameter.device)
            optimiser.state[parameter][field] = int(tensor) if is_count else placed
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise TrainingError(
            f"this checkpoint cannot be used ({error})",
            where=path,
            mend="Start a new run; the best model found so far is still in the run's folder.",
        ) from error
    return state


def _all(run: RunFolder) -> list[Path]:
    if not run.checkpoints.is_dir():
        return []
    return [path for path in run.checkpoints.iterdir() if _NAME.fullmatch(path.name) and (path / _STATE).is_file()]


def _step(path: Path) -> int:
    return int(path.name.removeprefix("step-"))
