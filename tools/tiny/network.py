"""The built-in model's architecture: the published classes, small; and a forward pass for windows of any length.

Voxtral's own encoder refuses anything but a full window. While it learns from scratch, most of a full window would be
silence, so training mostly uses windows that end soon after the speech: the same layers on fewer positions.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from transformers import LlamaConfig, VoxtralConfig, VoxtralForConditionalGeneration
from transformers.models.voxtral.configuration_voxtral import VoxtralEncoderConfig
from vocabulary import PIECES, SPECIAL_COUNT

from ownvoice.model.features import splice

WINDOW_SECONDS = 10
POSITIONS = 50 * WINDOW_SECONDS
GROUP = 4
"""Encoder positions behind one audio token."""
BOS, EOS, INST, END_INST, PAD, AUDIO, BEGIN_AUDIO, TRANSCRIBE = 1, 2, 3, 4, 11, 24, 25, 34


def new_model() -> VoxtralForConditionalGeneration:
    """A Voxtral of about 8 million weights, untrained, with Whisper's sinusoid positions filled in."""
    width = 256
    config = VoxtralConfig(
        audio_config=VoxtralEncoderConfig(
            vocab_size=PIECES + SPECIAL_COUNT, hidden_size=width, intermediate_size=GROUP * width, num_hidden_layers=4,
            num_attention_heads=4, max_source_positions=POSITIONS,
        ),
        text_config=LlamaConfig(
            vocab_size=PIECES + SPECIAL_COUNT, hidden_size=width, intermediate_size=768, num_hidden_layers=4,
            num_attention_heads=4, num_key_value_heads=2, head_dim=64, max_position_embeddings=4096, rms_norm_eps=1e-5,
            rope_theta=10_000.0, bos_token_id=BOS, eos_token_id=EOS, pad_token_id=PAD,
        ),
        audio_token_id=AUDIO,
    )  # fmt: skip
    config._attn_implementation = "eager"  # at this size, plain matrix products beat the fused kernel on a CPU
    model = VoxtralForConditionalGeneration(config)
    model.model.audio_tower.embed_positions.weight.data.copy_(sinusoids(POSITIONS, width))
    model.generation_config.update(bos_token_id=BOS, eos_token_id=EOS, pad_token_id=PAD)
    return model


def sinusoids(length: int, channels: int) -> Tensor:
    """Whisper's fixed positions (Radford et al. 2022, section 2.2): sines then cosines, wavelengths up to 10,000."""
    scale = torch.exp(-math.log(10_000) / (channels // 2 - 1) * torch.arange(channels // 2))
    angle = torch.arange(length)[:, None] * scale[None, :]
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def encode(model: VoxtralForConditionalGeneration, mel: Tensor) -> Tensor:
    """(batch, 128, frames) features to (batch, frames / 2, width) encoder outputs, for any length up to the window."""
    tower = model.model.audio_tower
    hidden = nn.functional.gelu(tower.conv1(mel))
    hidden = nn.functional.gelu(tower.conv2(hidden)).transpose(1, 2)
    hidden = hidden + tower.embed_positions.weight[: hidden.shape[1]]
    for layer in tower.layers:
        hidden = layer(hidden, None)
    return tower.layer_norm(hidden)


def audio_tokens(model: VoxtralForConditionalGeneration, encoded: Tensor) -> Tensor:
    """(batch, positions, width) to (batch, positions / 4, decoder width)."""
    batch, positions, width = encoded.shape
    return model.model.multi_modal_projector(encoded.reshape(batch, positions // GROUP, width * GROUP))


def label_logits(
    model: VoxtralForConditionalGeneration, audio: Tensor, ids: Tensor, mask: Tensor, places: Tensor
) -> Tensor:
    """Logits (places, vocabulary) at the positions before each label.

    ``audio`` (batch, tokens, width) replaces the [AUDIO] ids of ``ids`` (batch, length); ``mask`` is False on padding;
    ``places`` are positions in the flattened batch.
    """
    embedded = splice(model, ids, audio)
    hidden = model.model.language_model(inputs_embeds=embedded, attention_mask=mask).last_hidden_state
    return model.lm_head(hidden.flatten(0, 1)[places])
