"""Writes a trained model in forms that other programs read: merged Hugging Face weights, also quantised.

The other two forms have modules of their own: :mod:`ownvoice.model.vllm_adapter` renames an adapter,
:mod:`ownvoice.model.mistral_layout` writes Mistral's own layout. Every function here fills a folder that is handed in;
that it appears whole or not at all, and that what is in it says the same as the run, is the caller's to see to.
"""

from __future__ import annotations

from pathlib import Path

import torch

from ownvoice.errors import ModelError
from ownvoice.model.load import Recogniser, load_recogniser
from ownvoice.model.quantised import Quantisation, quantisation_config
from ownvoice.model.source import find_model


def merge_run(source: str | Path, folder: Path, *, dtype: torch.dtype | None = None) -> None:
    """Write a plain Hugging Face Voxtral, the adapter added into its weights; transformers alone loads it.

    Parameters
    ----------
    folder
        An empty folder.
    source, dtype
        As :func:`merged`.

    Raises
    ------
    ModelError
        as :func:`merged`.
    """
    recogniser = merged(source, dtype=dtype)
    recogniser.model.save_pretrained(folder)
    recogniser.processor.save_pretrained(folder)


def merged(source: str | Path, *, dtype: torch.dtype | None = None) -> Recogniser:
    """Load a model on the CPU and add its adapter, if it has one, into its weights.

    Parameters
    ----------
    source
        A run, or anything else :func:`~ownvoice.model.load.load_recogniser` takes.
    dtype
        Precision of the weights; left out, bfloat16 where the base is kept in it, else float32. The sum of weight and
        adapter is rounded to it; in float32 the merged model answers as base and adapter do to 1e-5.

    Raises
    ------
    ModelError
        when the model cannot be loaded, or merging makes weights that are no numbers.
    """
    from transformers import VoxtralConfig

    stored = VoxtralConfig.from_pretrained(find_model(source).base, local_files_only=True).dtype
    kept = dtype or (torch.bfloat16 if stored == torch.bfloat16 else torch.float32)
    recogniser = load_recogniser(source, device="cpu", dtype=kept)
    if recogniser.adapter is not None:
        try:
            recogniser.adapter.merge_and_unload(safe_merge=True)
        except ValueError as error:  # PEFT's word for NaN in the sum
            raise ModelError(f"the adapter cannot be merged ({error})", where=source) from error
        recogniser.adapter = None
    return recogniser


def quantise(plain: Path, folder: Path, how: Quantisation) -> None:
    """Write the merged model in ``plain`` a second time into ``folder``, its linear layers in 8 or 4 bits.

    See :mod:`ownvoice.model.quantised`; bitsandbytes has to be installed to read the result too.

    Raises
    ------
    ModelError
        when bitsandbytes is not installed.
    """
    from transformers import VoxtralForConditionalGeneration, VoxtralProcessor

    model = VoxtralForConditionalGeneration.from_pretrained(
        plain,
        quantization_config=quantisation_config(how, torch.bfloat16),
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
    )
    model.save_pretrained(folder)
    VoxtralProcessor.from_pretrained(plain, local_files_only=True).save_pretrained(folder)
