"""Bytes that the forward pass of a Voxtral keeps for the way back, from its shape alone; no torch.

Counted layer by layer from what autograd saves of transformers' Voxtral with PEFT's adapters and PyTorch's fused
attention, which never stores its matrix. ``tests/training/test_activations.py`` counts them on the real classes. Memory
of other kinds is :mod:`ownvoice.training.preflight`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ownvoice.training.preflight import Shape

BF16, FP32 = 2, 4
HEAD_LABELS = 24
"""Label tokens of a clip whose logits exist at a time; phrases of people's own have 8 to 20."""


@dataclass(frozen=True)
class Pass:
    """What decides how much a forward pass keeps."""

    adapters: bool
    """Whether adapters are trained rather than every weight."""
    encoder: bool
    """Whether something is trained in the encoder, so that the way back goes through both towers."""
    decoder: bool
    bf16: bool
    card: bool
    """Whether it runs on a graphics card, which keeps dropout's masks in a byte a value, and a CPU in four."""
    twice: bool
    """Whether layers keep their input alone and are computed a second time (checkpointing)."""


def pass_bytes(shape: Shape, of: Pass) -> int:
    """Bytes one window's forward pass keeps at most at a time, its way back included.

    On the way back the inside of a layer exists about three times: its values, their gradients, and what its operations
    need meanwhile (fitted to bench/memory.py on a CPU).
    """
    frames, tokens = shape.audio_frames, shape.prompt_tokens
    encoder = frames * _encoder_layer(shape, of) if of.encoder else 0
    decoder = tokens * _decoder_layer(shape, of)
    if not of.twice:
        kept = shape.audio_layers * encoder + shape.layers * decoder
    else:
        width = BF16 if of.bf16 else FP32
        inputs = frames * shape.audio_layers * shape.audio_hidden * width * of.encoder
        inputs += tokens * shape.layers * shape.hidden * (width if of.adapters else FP32)
        kept = inputs + max(encoder, decoder)
    return kept + 2 * max(encoder, decoder) + _on_the_way_back(shape, of) + _head(shape)


def hearing_bytes(shape: Shape, *, bf16: bool) -> int:
    """Bytes that transcribing one window takes: its keys and values, and the widest layer's inside."""
    size = BF16 if bf16 else FP32
    cached = 2 * shape.layers * shape.key_value_heads * shape.head_dim * shape.prompt_tokens * size
    encoder = shape.audio_frames * (3 * shape.audio_hidden + 2 * shape.audio_feed_forward) * size
    decoder = shape.prompt_tokens * (3 * shape.hidden + 3 * shape.feed_forward) * size
    return cached + max(encoder, decoder)


def _encoder_layer(shape: Shape, of: Pass) -> int:
    """Bytes a frame. Attention keeps query, key, value and its output; each norm its input.

    With adapters: the dropped-out input of six linear layers and their masks, and the feed-forward layer's inside. With
    every weight trained: the inputs of attention's two steps and of the feed-forward layer's two.
    """
    width, inner = shape.audio_hidden, shape.audio_feed_forward
    if not of.adapters:
        return (9 * width + 2 * inner) * (BF16 if of.bf16 else FP32)
    mask = 1 if of.card else FP32
    return (11 * width + 2 * inner) * (BF16 if of.bf16 else FP32) + mask * (5 * width + inner)


def _decoder_layer(shape: Shape, of: Pass) -> int:
    """Bytes a token. Norms compute in float32 and keep it; the feed-forward layer keeps its three inner values."""
    size = BF16 if of.bf16 else FP32
    query, key = shape.heads * shape.head_dim, shape.key_value_heads * shape.head_dim
    common = 2 * FP32 * shape.hidden + size * (2 * query + 2 * key + 3 * shape.feed_forward)
    if not of.decoder:  # frozen, but the way back goes through it
        return common
    if not of.adapters:
        norms = 2 * FP32 * shape.hidden  # their outputs too, for their weights' gradients
        inputs = (5 if of.bf16 else 2) * shape.hidden  # in bfloat16 each linear layer has its own copy
        return common + norms + size * (inputs + shape.feed_forward)
    mask = 1 if of.card else FP32
    return common + size * (3 * shape.hidden + query) + mask * (3 * shape.hidden + query)


def _on_the_way_back(shape: Shape, of: Pass) -> int:
    """Gradients of a layer's inside, of which about four of the widest exist at a time."""
    size = BF16 if of.bf16 else FP32
    widest = shape.prompt_tokens * shape.feed_forward
    if of.encoder:
        widest = max(widest, shape.audio_frames * shape.audio_feed_forward)
    return 4 * widest * size


def _head(shape: Shape) -> int:
    """Logits, their float32 copy's logarithms, and the gradients of both."""
    return HEAD_LABELS * shape.vocabulary * 3 * FP32
