"""Writes answers token by token, always the likeliest, for a batch of prompts of one length.

The answers are those of transformers' ``generate`` without sampling. What it spends on prompts of unequal length is
spared, and an answer that has ended leaves the batch at once: one that says a phrase over and over, as a model does
with a voice it does not know, is written to its bound alone and not with all the others beside it
(bench/generation.py). What the tokens mean is the caller's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from transformers import VoxtralForConditionalGeneration


@torch.inference_mode()
def write_greedily(
    model: VoxtralForConditionalGeneration, prompts: torch.Tensor, bounds: Sequence[int], end_id: int
) -> list[list[int]]:
    """Go on with each prompt until the end token, or for so many tokens.

    Parameters
    ----------
    prompts
        Embeddings ``(batch, length, decoder width)``, without padding.
    bounds
        The most tokens of each answer, one at least.

    Returns
    -------
    The tokens of each answer, with the end token where the model came to it.
    """
    from transformers import DynamicCache

    cache = DynamicCache(config=model.config.text_config)
    answers: list[list[int]] = [[] for _ in bounds]
    rows = list(range(len(bounds)))
    given = {"inputs_embeds": prompts}
    while True:
        states = model.model.language_model(**given, past_key_values=cache, use_cache=True).last_hidden_state
        tokens = model.lm_head(states[:, -1]).float().argmax(-1)
        for row, token in zip(rows, tokens.tolist(), strict=True):
            answers[row].append(token)
        places = [
            place for place, row in enumerate(rows) if answers[row][-1] != end_id and len(answers[row]) < bounds[row]
        ]
        if not places:
            return answers
        if len(places) < len(rows):
            going_on = torch.tensor(places, device=tokens.device)
            cache.batch_select_indices(going_on)
            tokens, rows = tokens[going_on], [rows[place] for place in places]
        given = {"input_ids": tokens[:, None]}
