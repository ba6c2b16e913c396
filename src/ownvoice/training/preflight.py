"""How much memory and arithmetic training a Voxtral takes, from its shape alone, and how much memory this machine has.

Estimates for a person choosing a model and a method, made without loading or downloading anything, and without torch
until a device is asked for its memory. Nothing is measured or refused here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import psutil

if TYPE_CHECKING:
    import torch

Method = Literal["lora", "full"]

_BF16 = 2
_FP32 = 4


@dataclass(frozen=True)
class Shape:
    """The sizes that decide how many parameters a Voxtral has (names as in ``VoxtralConfig``)."""

    name: str
    layers: int
    hidden: int
    feed_forward: int
    heads: int
    key_value_heads: int
    head_dim: int = 128
    vocabulary: int = 131072
    # The encoder is Whisper-large-v3's in both published models.
    audio_layers: int = 32
    audio_hidden: int = 1280
    audio_feed_forward: int = 5120
    mel_bins: int = 128
    audio_frames: int = 1500

    @classmethod
    def of_config(cls, name: str, config: Mapping[str, Any]) -> Self:
        """The shape that a model's ``config.json`` tells of; what it leaves out is as in Voxtral-Mini-3B.

        Raises
        ------
        KeyError
            when a size that every model has is not there.
        """
        text, audio = config["text_config"], config["audio_config"]
        return cls(
            name,
            layers=text["num_hidden_layers"],
            hidden=text["hidden_size"],
            feed_forward=text["intermediate_size"],
            heads=text["num_attention_heads"],
            key_value_heads=text.get("num_key_value_heads", 8),
            head_dim=text.get("head_dim") or 128,
            vocabulary=text["vocab_size"],
            audio_layers=audio["num_hidden_layers"],
            audio_hidden=audio["hidden_size"],
            audio_feed_forward=audio["intermediate_size"],
            mel_bins=audio.get("num_mel_bins", 128),
            audio_frames=audio.get("max_source_positions", 1500),
        )

    @property
    def encoder_parameters(self) -> int:
        """Two convolutions, positions, the layers with their biases (none on keys) and the closing norm."""
        width, inner = self.audio_hidden, self.audio_feed_forward
        convolutions = 3 * self.mel_bins * width + width + 3 * width * width + width
        attention = 4 * width * width + 3 * width
        layer = attention + 2 * width * inner + inner + width + 4 * width
        return convolutions + self.audio_frames * width + self.audio_layers * layer + 2 * width

    @property
    def parameters(self) -> int:
        """All of them: encoder, projector, decoder, and the two vocabulary matrices, which are not tied."""
        projector = self.audio_feed_forward * self.hidden + self.hidden**2
        attention = 2 * self.hidden * self.head_dim * (self.heads + self.key_value_heads)
        layer = attention + 3 * self.hidden * self.feed_forward + 2 * self.hidden
        decoder = self.layers * layer + self.hidden + 2 * self.vocabulary * self.hidden
        return self.encoder_parameters + projector + decoder

    def lora_parameters(self, rank: int) -> int:
        """Adapters on the encoder's linear layers and the decoder's query, key, value and output projections.

        A matrix from ``a`` to ``b`` gets ``rank * (a + b)`` of them (Hu et al. 2021).
        """
        width, inner = self.audio_hidden, self.audio_feed_forward
        encoder = self.audio_layers * rank * (4 * 2 * width + 2 * (width + inner))
        query, key = self.heads * self.head_dim, self.key_value_heads * self.head_dim
        decoder = self.layers * rank * (2 * (self.hidden + query) + 2 * (self.hidden + key))
        return encoder + decoder


MINI_3B = Shape("Voxtral-Mini-3B", layers=30, hidden=3072, feed_forward=8192, heads=32, key_value_heads=8)
SMALL_24B = Shape("Voxtral-Small-24B", layers=40, hidden=5120, feed_forward=32768, heads=32, key_value_heads=8)

PROMPT_TOKENS = 400
"""Decoder positions of one 30 s window: 375 audio tokens, 8 of prompt, the rest for a short transcript."""


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes that training takes, by what they hold."""

    weights: int
    optimiser: int
    """Gradients and AdamW's two moments of every trained parameter, and its full-precision copy."""
    activations: int

    @property
    def total(self) -> int:
        return self.weights + self.optimiser + self.activations


def estimate_memory(
    shape: Shape, method: Method, *, clips: int = 1, rank: int = 16, bf16: bool = True
) -> MemoryEstimate:
    """What training ``shape`` with the encoder in the scope takes at ``clips`` 30 s windows a forward pass.

    Weights cost 2 bytes each in bfloat16, else 4. A trained parameter costs 12 more bytes: gradient and two moments in
    float32 (Loshchilov & Hutter 2019), and in full bfloat16 training 4 for the float32 copy that keeps small updates
    (Micikevicius et al. 2018). Activations of a transformer layer are 34 values' halves a position and width
    (``34 s b h`` bytes at 16 bits, Korthikanti et al. 2022, eq. 2, without the attention matrix, which fused attention
    never stores), doubled at 32 bits. Measured peaks differ: buffers and fragmentation are not counted.
    """
    size = _BF16 if bf16 else _FP32
    trained = shape.parameters if method == "full" else shape.lora_parameters(rank)
    copy = _FP32 if bf16 and method == "full" else 0
    positions = (
        shape.audio_frames * shape.audio_layers * shape.audio_hidden + PROMPT_TOKENS * shape.layers * shape.hidden
    )
    return MemoryEstimate(
        weights=shape.parameters * size,
        optimiser=trained * (3 * _FP32 + copy),
        activations=clips * 34 * positions * size // _BF16,
    )


def estimate_work(shape: Shape, method: Method) -> float:
    """Floating-point operations of training once on one window, with the encoder in the scope.

    A forward pass takes two a parameter and position (Kaplan et al. 2020, section 2.1; attention's own share is left
    out); the way back takes as many for the activations, and in full training as many again for the weights.
    """
    tokens = shape.audio_frames // 4 + PROMPT_TOKENS - 375
    decoder = shape.parameters - shape.encoder_parameters - 2 * shape.hidden * shape.vocabulary
    forward = 2.0 * (shape.encoder_parameters * shape.audio_frames + decoder * tokens)
    return forward * (3 if method == "full" else 2)


@dataclass(frozen=True)
class Memory:
    """Bytes of memory where training would happen."""

    total: int
    free: int


def device_memory(device: torch.device) -> Memory:
    """Memory of a CUDA card; for a CPU, and for Apple's GPU which shares it, that of the machine."""
    if device.type == "cuda":
        import torch

        free, total = torch.cuda.mem_get_info(device)
        return Memory(total=total, free=free)
    memory = psutil.virtual_memory()
    return Memory(total=memory.total, free=memory.available)
