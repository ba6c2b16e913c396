"""Weights in 4 or 8 bits, by bitsandbytes: how they are made, and what to do where it is missing.

The vocabulary head stays as it is, since it is the last word on every token; so do embeddings, convolutions and norms,
which are no linear layers. Loading is :mod:`ownvoice.model.load`'s, exporting :mod:`ownvoice.model.export`'s.
"""

from __future__ import annotations

import importlib.util
import logging
from typing import TYPE_CHECKING, Literal

import torch

from ownvoice.errors import ModelError

if TYPE_CHECKING:
    from transformers import BitsAndBytesConfig

Quantisation = Literal["int8", "nf4"]

KEPT = ["lm_head"]
"""Linear layers that are not quantised."""


def _is_of_use(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("Failed to load CPU gemm_4bit_forward")


# Where PEFT finds bitsandbytes it loads it, in runs too that quantise nothing; on some processors that complains of
# a missing package "kernels", for a kernel that needs the repacking which keep_scales forbids.
logging.getLogger("bitsandbytes.backends.cpu.ops").addFilter(_is_of_use)


def quantisation_config(how: Quantisation, computing: torch.dtype) -> BitsAndBytesConfig:
    """How transformers is to quantise while it loads.

    ``int8`` is LLM.int8() (Dettmers et al. 2022); ``nf4`` is QLoRA's four-bit normal float with double quantisation
    (Dettmers et al. 2023), which computes in ``computing``.

    Raises
    ------
    ModelError
        when bitsandbytes is not installed.
    """
    from transformers import BitsAndBytesConfig

    if importlib.util.find_spec("bitsandbytes") is None:
        raise ModelError(
            "weights in 4 or 8 bits need bitsandbytes, which is not installed",
            mend='Install it with: pip install "ownvoice[quantise]"',
        )
    if how == "int8":
        return BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=KEPT)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=computing,
        llm_int8_skip_modules=KEPT,
    )


def keep_scales(model: torch.nn.Module) -> None:
    """Have the 4-bit layers of a loaded model stay as they were quantised.

    On some processors bitsandbytes repacks them when a model first transcribes, and rounds their scales a second time:
    a run that looked at its dev set would go on with other weights than one that is resumed there.
    """
    from bitsandbytes.nn import Linear4bit

    for module in model.modules():
        if isinstance(module, Linear4bit):
            module.support_avx512bf16_for_cpu = False


def keep_narrow(model: torch.nn.Module) -> None:
    """Have the encoder's norms of a 4-bit model answer in the precision they are asked in.

    On a card autocast lets them answer in float32, and a 4-bit layer answers as it is asked: from the first one on,
    everything would be twice as wide. (On a processor neither does so.)
    """
    for module in model.modules():
        if isinstance(module, torch.nn.LayerNorm):
            module.register_forward_hook(lambda norm, given, made: made.to(given[0].dtype))
