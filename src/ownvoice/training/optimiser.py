"""AdamW over the trained parameters, its moments in 32 or in 8 bits; the one place that makes an optimiser.

Weights that are trained are float32 whatever the model computes in: bfloat16 has 8 bits of precision, so an update
smaller than 1/256 of its weight would be rounded away, and most are (Micikevicius et al. 2018, section 3.1). The two
moments may be coarser: in blocks with a scale each, 8 bits train as 32 do (Dettmers et al. 2022, "8-bit optimizers via
block-wise quantization") in a quarter of the memory, and on a graphics card they are paged: what does not fit for a
moment is put into the computer's own memory.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable

import torch

from ownvoice.config import TrainingSettings
from ownvoice.errors import ModelError


def make_optimiser(
    parameters: Iterable[torch.nn.Parameter], settings: TrainingSettings, rate: float
) -> torch.optim.Optimizer:
    """The optimiser of a run, at learning rate ``rate``.

    Raises
    ------
    ModelError
        when moments in 8 bits are asked for and bitsandbytes is not installed.
    """
    decay = settings.optimiser.weight_decay
    if not settings.eight_bit_moments:
        return torch.optim.AdamW(parameters, lr=rate, weight_decay=decay, fused=True)
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ModelError(
            "an optimiser in 8 bits needs bitsandbytes, which is not installed",
            mend='Install it with: pip install "ownvoice[quantise]"',
        )
    from bitsandbytes.optim import AdamW8bit, PagedAdamW8bit

    weights = list(parameters)
    kind: type[torch.optim.Optimizer] = PagedAdamW8bit if weights[0].is_cuda else AdamW8bit
    return kind(weights, lr=rate, weight_decay=decay)  # type: ignore[call-arg]
