"""Bytes that training and transcribing a Voxtral keep beside its weights, from its shape alone; no torch.

Counted layer by layer from what autograd saves of transformers' Voxtral with PEFT's adapters and PyTorch's fused
attention, which never stores its matrix. ``tests/training/test_activations.py`` counts what is kept, and the most that
exists at a time, on the real classes. Memory of other kinds is :mod:`ownvoice.training.preflight`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ownvoice.training.preflight import Shape

BF16, FP32 = 2, 4
HEAD_LABELS = 24
"""Label tokens of a clip; phrases of people's own have 8 to 20."""
HEAD_CHUNK = 256
"""Labels of a pass whose logits exist at a time (``ownvoice.model.loss.HEAD_CHUNK``)."""


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


def pass_bytes(shape: Shape, of: Pass, windows: int = 1) -> int:
    """The most that exists at a time of a forward pass over ``windows`` windows and of its way back.

    All that is kept exists when the way back begins; it ends in the decoder's last layer, whose gradients come while
    its values are still there, or in the head. Where layers are computed twice, one layer's inside exists at a time:
    while it is a decoder's, the inputs of all layers are there, and while it is an encoder's, those of the encoder.
    """
    frames, tokens = windows * shape.audio_frames, windows * shape.prompt_tokens
    hearing = frames * _encoder_layer(shape, of) if of.encoder else 0
    writing = tokens * _decoder_layer(shape, of)
    hearing_back = frames * _encoder_way_back(shape, of) if of.encoder else 0
    writing_back, head = tokens * _decoder_way_back(shape, of), _head(shape, windows)
    if of.twice:
        width = BF16 if of.bf16 else FP32
        heard = frames * shape.audio_layers * shape.audio_hidden * width * of.encoder
        written = tokens * shape.layers * shape.hidden * (width if of.adapters else FP32)
        peak = max(heard + written + max(head, writing + writing_back), heard + hearing + hearing_back)
    else:
        peak = shape.audio_layers * hearing + max(shape.layers * writing + max(head, writing_back), hearing_back)
    return peak + frames * _around_the_encoder(shape, of)


def hearing_bytes(shape: Shape, *, adapters: bool, bf16: bool) -> int:
    """The most that exists at a time while one window is transcribed.

    First the encoder's widest layer, then its keys and values of all layers and the decoder's widest.
    """
    size = BF16 if bf16 else FP32
    widened = FP32 * shape.audio_feed_forward if adapters and bf16 else 0
    encoder = shape.audio_frames * ((3 * shape.audio_hidden + 2 * shape.audio_feed_forward) * size + widened)
    cached = 2 * shape.layers * shape.key_value_heads * shape.head_dim * size
    decoder = shape.prompt_tokens * (cached + (3 * shape.hidden + 3 * shape.feed_forward) * size)
    return max(encoder, decoder)


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


def _encoder_way_back(shape: Shape, of: Pass) -> int:
    """Bytes a frame that exist beside a layer's inside while its feed-forward half is computed again, or gone back.

    Its inner value once more, and a few of its width. PEFT turns an adapter's input to float32, once before dropout and
    once after it.
    """
    size, inner = BF16 if of.bf16 else FP32, shape.audio_feed_forward
    if not of.adapters:
        return (inner + shape.audio_hidden) * size
    return (inner + 3 * shape.audio_hidden) * size + 2 * FP32 * inner * of.bf16


def _decoder_way_back(shape: Shape, of: Pass) -> int:
    """Bytes a token: gradients of the three inner values of a feed-forward layer, and of its norm in float32."""
    return 3 * shape.feed_forward * (BF16 if of.bf16 else FP32) + 2 * shape.hidden * FP32


def _around_the_encoder(shape: Shape, of: Pass) -> int:
    """Bytes a frame: the closing norm's input and output; where the convolutions are trained, what these keep.

    The first of them has two frames for each of the second: it keeps two values of each, and the second one. In
    bfloat16 the spectrogram is copied.
    """
    if not of.encoder:
        return 0
    norm = 2 * shape.audio_hidden * (BF16 if of.bf16 else FP32)
    if of.adapters:
        return norm
    return norm + 5 * shape.audio_hidden * (BF16 if of.bf16 else FP32) + 2 * shape.mel_bins * BF16 * of.bf16


def _head(shape: Shape, windows: int) -> int:
    """The logarithms of what the logits say, and the gradients of both, in float32."""
    return min(windows * HEAD_LABELS, HEAD_CHUNK) * shape.vocabulary * 3 * FP32
