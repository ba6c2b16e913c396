"""Writes the best model found so far: ``RUN/adapter`` for LoRA, ``RUN/model`` for full training.

Both load with :func:`ownvoice.model.load.load_recogniser` and in programs that know PEFT and transformers. There is
never a half-written one. Making a model ready for publishing is not done here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ownvoice.model.load import Recogniser
from ownvoice.rundir import RunFolder
from ownvoice.training.durable import clear_remains, place_folder

if TYPE_CHECKING:
    from peft import PeftModel


def keep_best(run: RunFolder, recogniser: Recogniser) -> None:
    """Put the model as it is now in place of the best so far.

    Raises
    ------
    StorageError
        when it cannot be written; the one before is then still there.
    """
    if recogniser.adapter is not None:
        adapter = recogniser.adapter
        place_folder(run.adapter, lambda folder: _save_adapter(adapter, folder))
    else:
        place_folder(run.model, lambda folder: _save_model(recogniser, folder))


def clear_unfinished(run: RunFolder) -> None:
    """Remove what a killed process had not finished writing."""
    for final in (run.adapter, run.model):
        clear_remains(final)
    if run.checkpoints.is_dir():
        for half in run.checkpoints.glob(".step-*"):
            clear_remains(half.with_name(half.name[1:].partition(".")[0]))


def _save_adapter(adapter: PeftModel, folder: Path) -> None:
    # Embeddings are never trained, and left to find that out PEFT asks the Hub about the base, by its name.
    adapter.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)  # PEFT's empty model card; ours is written when publishing


def _save_model(recogniser: Recogniser, folder: Path) -> None:
    recogniser.model.save_pretrained(folder)
    recogniser.processor.save_pretrained(folder)
