"""Writes the best model found so far: ``RUN/adapter`` for LoRA, ``RUN/model`` for full training.

Both load with :func:`ownvoice.model.load.load_recogniser` and in programs that know PEFT and transformers. There is
never a half-written one. Making a model ready for publishing is not done here.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ownvoice.model.load import Recogniser
from ownvoice.rundir import RunFolder
from ownvoice.training.durable import clear_remains, place_folder
from ownvoice.training.processes import ALONE, ProcessGroup
from ownvoice.training.shards import gathered

if TYPE_CHECKING:
    import torch
    from peft import PeftModel

    Weights = dict[str, torch.Tensor]


def keep_best(run: RunFolder, recogniser: Recogniser, group: ProcessGroup = ALONE) -> None:
    """Put the model as it is now in place of the best so far; every process of ``group`` calls this.

    Raises
    ------
    StorageError
        when it cannot be written; the one before is then still there.
    """
    adapter, weights = recogniser.adapter, None
    if group.is_sharded:
        state = (adapter or recogniser.model).state_dict()
        names = [name for name in state if adapter is None or ".lora_" in name]
        weights = gathered(((name, state[name]) for name in names), group)
    if adapter is not None:
        place, fill = run.adapter, partial(_save_adapter, adapter, weights)
    else:
        place, fill = run.model, partial(_save_model, recogniser, weights)
    group.by_main(lambda: place_folder(place, fill))


def clear_unfinished(run: RunFolder) -> None:
    """Remove what a killed process had not finished writing."""
    for final in (run.adapter, run.model):
        clear_remains(final)
    if run.checkpoints.is_dir():
        for half in run.checkpoints.glob(".step-*"):
            clear_remains(half.with_name(half.name[1:].partition(".")[0]))


def _save_adapter(adapter: PeftModel, weights: Weights | None, folder: Path) -> None:
    """``weights`` are the adapter's own where they are spread over processes, as for a model below."""
    # Embeddings are never trained, and left to find that out PEFT asks the Hub about the base, by its name.
    adapter.save_pretrained(folder, save_embedding_layers=False, state_dict=weights)
    (folder / "README.md").unlink(missing_ok=True)  # PEFT's empty model card; ours is written when publishing


def _save_model(recogniser: Recogniser, weights: Weights | None, folder: Path) -> None:
    recogniser.model.save_pretrained(folder, state_dict=weights)
    recogniser.processor.save_pretrained(folder)
