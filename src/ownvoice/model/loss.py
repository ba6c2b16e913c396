"""The training loss: mean negative log-likelihood of the transcript's tokens, and of nothing else.

Equal to ``VoxtralForConditionalGeneration(**processor inputs, labels=...)`` in loss and gradients, for less work: the
vocabulary head runs on label positions alone, a few hundred at a time, and audio embeddings computed before are taken
as they are. Clips are padded on the right, where a causal decoder cannot see, so no attention mask is needed, and
attention can take its fastest kernel. Makes no optimiser step.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch.utils.checkpoint import checkpoint

from ownvoice.model.features import encode, splice

if TYPE_CHECKING:
    from transformers import LlamaModel, VoxtralForConditionalGeneration


HEAD_CHUNK = 256
"""Label positions whose logits exist at a time: of 131072 tokens in float32 they are 134 MB, and are not kept."""


@dataclass(frozen=True)
class Batch:
    """Clips of one forward pass."""

    ids: torch.Tensor
    """``(clips, length)`` int64: prompt and transcript of each clip, without the end token, which predicts nothing."""
    positions: torch.Tensor
    """``(labels,)`` int64: where in the flattened ``ids`` the next token is a label."""
    labels: torch.Tensor
    """``(labels,)`` int64: the tokens of all transcripts and their end tokens."""
    sound: tuple[torch.Tensor, ...]
    """The clips' sound, in their order and in as few tensors as their lengths allow: log-mel windows
    ``(windows, mel bins, mel frames)``, or audio embeddings ``(windows, audio tokens, width)``."""
    encoded: bool
    """Whether ``sound`` is audio embeddings."""

    def to(self, device: torch.device) -> Batch:
        """The batch on ``device``; to a graphics card it is copied without waiting for what computes there."""

        def moved(tensor: torch.Tensor) -> torch.Tensor:
            if device.type == "cuda" and tensor.device.type == "cpu":  # what is on a card already cannot be pinned
                return tensor.pin_memory().to(device, non_blocking=True)
            return tensor.to(device)

        return replace(
            self,
            ids=moved(self.ids),
            positions=moved(self.positions),
            labels=moved(self.labels),
            sound=tuple(map(moved, self.sound)),
        )


def make_batch(
    prompts: Sequence[Sequence[int]],
    targets: Sequence[Sequence[int]],
    sounds: Sequence[torch.Tensor],
    *,
    encoded: bool,
    pad_id: int,
) -> Batch:
    """Put clips together; ``targets`` end with the end token, ``sounds`` are the windows of each clip.

    Neighbours whose windows are of one length are joined into one tensor.
    """
    length = max(len(prompt) + len(target) - 1 for prompt, target in zip(prompts, targets, strict=True))
    ids = torch.full((len(prompts), length), pad_id)
    positions: list[int] = []
    for row, (prompt, target) in enumerate(zip(prompts, targets, strict=True)):
        ids[row, : len(prompt) + len(target) - 1] = torch.tensor([*prompt, *target[:-1]])
        first = row * length + len(prompt) - 1  # the prompt's last token predicts the transcript's first
        positions.extend(range(first, first + len(target)))
    labels = torch.tensor([token for target in targets for token in target])
    alike = itertools.groupby(sounds, key=lambda windows: windows.shape[1:])
    sound = tuple(torch.cat(list(neighbours)) for _, neighbours in alike)
    return Batch(ids, torch.tensor(positions), labels, sound, encoded)


class LabelLoss(torch.nn.Module):
    """A Voxtral whose forward pass gives the loss of a batch; a module, so that it can be wrapped for many devices."""

    def __init__(self, model: VoxtralForConditionalGeneration) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Batch) -> torch.Tensor:
        """Sum of the negative log-likelihoods (nats) of the batch's labels; a float32 scalar.

        A sum, so that the caller can divide by the labels of all batches of an optimiser step.
        """
        hidden = self.label_states(batch)
        chunks = list(zip(torch.split(hidden, HEAD_CHUNK), torch.split(batch.labels, HEAD_CHUNK), strict=True))
        if len(chunks) == 1:
            return self._head_loss(*chunks[0])
        # The way back computes each chunk's logits again rather than keep those of all.
        return torch.stack(
            [checkpoint(self._head_loss, *chunk, use_reentrant=False, preserve_rng_state=False) for chunk in chunks]
        ).sum()

    def label_states(self, batch: Batch) -> torch.Tensor:
        """What the vocabulary head is given at the places before each label: ``(labels, decoder width)``."""
        parts = batch.sound if batch.encoded else [encode(self.model, mel) for mel in batch.sound]
        audio = torch.cat([part.flatten(0, 1) for part in parts])
        states = _decode(self.model.model.language_model, splice(self.model, batch.ids, audio))
        return states.flatten(0, 1).index_select(0, batch.positions)

    def _head_loss(self, hidden: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        logits = self.model.lm_head(hidden)
        return torch.nn.functional.cross_entropy(logits.float(), labels, reduction="sum")


def _decode(decoder: LlamaModel, embeddings: torch.Tensor) -> torch.Tensor:
    """The decoder's layers and closing norm, as its own ``forward`` applies them, without a look at the device.

    That one asks for the positions' values, to see whether several texts were packed into a row, and so waits in every
    pass for all that the device still has to do.
    """
    from transformers.masking_utils import create_causal_mask

    places = torch.arange(embeddings.shape[1], device=embeddings.device).unsqueeze(0)
    mask = create_causal_mask(decoder.config, embeddings, attention_mask=None, past_key_values=None)
    rotary = decoder.rotary_emb(embeddings, position_ids=places)
    states = embeddings
    for layer in decoder.layers:
        states = layer(states, attention_mask=mask, position_ids=places, position_embeddings=rotary)
    return decoder.norm(states)  # type: ignore[no-any-return]
