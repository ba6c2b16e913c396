"""The way most people fine-tune Voxtral, as a faithful stand-in: what bench/train_step.py measures against.

The collator turns raw audio into features at every step (through transformers' own processor, which writes a WAV,
reads it, and makes the spectrogram), tokenises, and pads on the left; the encoder is in the graph; the vocabulary head
runs on every position; LoRA sits beside whatever is called q, k, v or o. Nothing here is part of the package.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from peft import LoraConfig
from transformers import VoxtralForConditionalGeneration

from ownvoice.data.audio import SAMPLE_RATE, load_audio
from ownvoice.model.features import encode, splice
from ownvoice.model.load import Recogniser
from ownvoice.model.loss import Batch
from ownvoice.training.examples import Clip

RANK, ALPHA = 8, 32
IGNORED = -100
"""transformers' mark of a position without a label."""


def reference_adapters(decoder_alone: bool = False) -> LoraConfig:
    """LoRA on q/k/v/o wherever they occur: in the decoder, and q, k, v of the encoder, whose o is called out_proj."""
    names = ["q_proj", "k_proj", "v_proj", "o_proj"]
    inside = rf".*language_model.*\.({'|'.join(names)})"
    return LoraConfig(r=RANK, lora_alpha=ALPHA, lora_dropout=0.0, target_modules=inside if decoder_alone else names)


def collate(recogniser: Recogniser, clips: Sequence[Clip], language: str) -> dict[str, torch.Tensor]:
    """Inputs and labels of one forward pass, from audio files."""
    window, tokenizer = recogniser.window, recogniser.processor.tokenizer
    rows, features = [], []
    for clip in clips:
        inputs = recogniser.processor.apply_transcription_request(
            load_audio(clip.audio), "voxtral", language=language, sampling_rate=SAMPLE_RATE, format="WAV",
            audio_kwargs={"pad_to_multiple_of": window.samples, "max_source_positions": window.mel_frames},
        )  # fmt: skip
        target = [*tokenizer.encode(clip.text, add_special_tokens=False), tokenizer.eos_token_id]
        rows.append((inputs["input_ids"][0].tolist(), target))
        features.append(inputs["input_features"])
    length = max(len(prompt) + len(target) for prompt, target in rows)
    ids = torch.full((len(rows), length), tokenizer.pad_token_id)
    labels = torch.full((len(rows), length), IGNORED)
    for row, (prompt, target) in enumerate(rows):
        ids[row, length - len(prompt) - len(target) :] = torch.tensor(prompt + target)
        labels[row, length - len(target) :] = torch.tensor(target)
    mask = (ids != tokenizer.pad_token_id).long()
    return {"input_ids": ids, "attention_mask": mask, "labels": labels, "input_features": torch.cat(features)}


def reference_loss(model: VoxtralForConditionalGeneration, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """Sum over the labels (nats), with the model's own loss over all positions."""
    loss: torch.Tensor = model(**inputs).loss
    return loss * (inputs["labels"] != IGNORED).sum()


def full_logits_loss(model: VoxtralForConditionalGeneration, batch: Batch) -> torch.Tensor:
    """The same of a batch whose features are ready: the head still runs on every position."""
    parts = batch.sound if batch.encoded else [encode(model, mel) for mel in batch.sound]
    audio = torch.cat([part.flatten(0, 1) for part in parts])
    labels = torch.full(batch.ids.shape, IGNORED, device=batch.ids.device)
    # The model shifts labels by one; the end token's place lies behind the last input, so the row is one longer.
    labels = torch.nn.functional.pad(labels, (0, 1), value=IGNORED)
    rows, places = batch.positions // batch.ids.shape[1], batch.positions % batch.ids.shape[1]
    labels[rows, places + 1] = batch.labels
    logits = model(inputs_embeds=splice(model, batch.ids, audio), use_cache=False).logits
    return torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), labels[:, 1:].flatten(), reduction="sum")
