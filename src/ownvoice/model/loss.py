"""The training loss: mean negative log-likelihood of the transcript's tokens, and of nothing else.

Equal to ``VoxtralForConditionalGeneration(**processor inputs, labels=...)`` in loss and gradients, for less work: the
vocabulary head runs on label positions alone, and audio embeddings computed before are taken as they are. Clips are
padded on the right, where a causal decoder cannot see, so no attention mask is needed. Makes no optimiser step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from ownvoice.model.features import encode, splice

if TYPE_CHECKING:
    from transformers import VoxtralForConditionalGeneration


@dataclass(frozen=True)
class Batch:
    """Clips of one forward pass."""

    ids: torch.Tensor
    """``(clips, length)`` int64: prompt and transcript of each clip, without the end token, which predicts nothing."""
    positions: torch.Tensor
    """``(labels,)`` int64: where in the flattened ``ids`` the next token is a label."""
    labels: torch.Tensor
    """``(labels,)`` int64: the tokens of all transcripts and their end tokens."""
    sound: torch.Tensor
    """Log-mel windows ``(windows, mel bins, mel frames)``, or audio embeddings ``(windows, audio tokens, width)``."""
    encoded: bool
    """Whether ``sound`` is audio embeddings."""

    def to(self, device: torch.device) -> Batch:
        return replace(
            self,
            ids=self.ids.to(device),
            positions=self.positions.to(device),
            labels=self.labels.to(device),
            sound=self.sound.to(device),
        )


def make_batch(
    prompts: Sequence[Sequence[int]],
    targets: Sequence[Sequence[int]],
    sounds: Sequence[torch.Tensor],
    *,
    encoded: bool,
    pad_id: int,
) -> Batch:
    """Put clips together; ``targets`` end with the end token, ``sounds`` are the windows of each clip."""
    length = max(len(prompt) + len(target) - 1 for prompt, target in zip(prompts, targets, strict=True))
    ids = torch.full((len(prompts), length), pad_id)
    positions: list[int] = []
    for row, (prompt, target) in enumerate(zip(prompts, targets, strict=True)):
        ids[row, : len(prompt) + len(target) - 1] = torch.tensor([*prompt, *target[:-1]])
        first = row * length + len(prompt) - 1  # the prompt's last token predicts the transcript's first
        positions.extend(range(first, first + len(target)))
    labels = torch.tensor([token for target in targets for token in target])
    return Batch(ids, torch.tensor(positions), labels, torch.cat(list(sounds)), encoded)


class LabelLoss(torch.nn.Module):
    """A Voxtral whose forward pass gives the loss of a batch; a module, so that it can be wrapped for many devices."""

    def __init__(self, model: VoxtralForConditionalGeneration) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Batch) -> torch.Tensor:
        """Sum of the negative log-likelihoods (nats) of the batch's labels; a float32 scalar.

        A sum, so that the caller can divide by the labels of all batches of an optimiser step.
        """
        audio = batch.sound if batch.encoded else encode(self.model, batch.sound)
        hidden = self.model.model.language_model(
            inputs_embeds=splice(self.model, batch.ids, audio), use_cache=False
        ).last_hidden_state
        logits = self.model.lm_head(hidden.flatten(0, 1)[batch.positions])
        return torch.nn.functional.cross_entropy(logits.float(), batch.labels, reduction="sum")
