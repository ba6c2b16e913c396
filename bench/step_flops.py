"""The arithmetic a training step needs, for the share of a device's speed that is put to use (MFU).

Counted is what the mathematics asks for, as in PaLM (Chowdhery et al. 2022, appendix B): no recomputation, no adapters,
no element-wise work. With frozen weights the way back costs as much as the way there, and only where something trained
lies below; see "How fast on a graphics card" in docs/performance.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from transformers import VoxtralConfig

PEAKS = {
    "H100 PCIe": 756e12, "H100 NVL": 835e12, "H100": 989e12, "H200 NVL": 835e12, "H200": 989e12, "GH200": 989e12,
    "B200": 2250e12, "A100": 312e12, "A10G": 70e12, "A10": 125e12, "A40": 150e12, "A6000": 155e12, "L40S": 362e12,
    "L40": 181e12, "L4": 121e12, "RTX 3090": 71e12, "RTX 4090": 165e12, "RTX 5090": 209e12,
}  # fmt: skip
"""Dense operations a second in bfloat16 with float32 sums, from NVIDIA's data sheets; those of one family from the most
particular to the plainest, which is the SXM card. (A T4 has no bfloat16.)"""


def peak_of(card: str) -> float | None:
    """The peak of a card by the name its driver gives it ("NVIDIA H100 80GB HBM3"); None where it is not known."""
    words = card.replace("-", " ").split()
    return next((peak for name, peak in PEAKS.items() if set(name.split()) <= set(words)), None)


@dataclass(frozen=True)
class ClipShape:
    """What one clip is to the model."""

    frames: int
    """Encoder positions."""
    tokens: int
    """Decoder positions."""
    labels: int


def clip_operations(config: VoxtralConfig, clip: ClipShape, *, encoder_trained: bool, encoder_runs: bool) -> float:
    """Floating-point operations of training once on one clip with frozen weights."""
    decoder, head = _decoder(config, clip), 2.0 * config.hidden_size * config.text_config.vocab_size * clip.labels
    encoder = _encoder(config, clip) if encoder_runs else 0.0
    return 2 * (decoder + head) + encoder * (2 if encoder_trained else 1)


def _encoder(config: VoxtralConfig, clip: ClipShape) -> float:
    """Forward: convolutions, layers, projector. A product with an m x n matrix takes 2 m n operations a position."""
    audio = config.audio_config
    width, inner, frames = audio.hidden_size, audio.intermediate_size, clip.frames
    convolutions = 2.0 * 3 * (2 * frames * audio.num_mel_bins * width + frames * width * width)
    layer = 2.0 * frames * (4 * width * width + 2 * width * inner) + 4.0 * frames * frames * width
    projector = 2.0 * frames * width / inner * (inner * config.hidden_size + config.hidden_size**2)
    return convolutions + audio.num_hidden_layers * layer + projector


def _decoder(config: VoxtralConfig, clip: ClipShape) -> float:
    """Forward without the head; a causal position attends to half of the others on average."""
    text = config.text_config
    width, tokens = text.hidden_size, clip.tokens
    queries, keys = text.num_attention_heads * text.head_dim, text.num_key_value_heads * text.head_dim
    matrices = 2 * width * queries + 2 * width * keys + 3 * width * text.intermediate_size
    return text.num_hidden_layers * (2.0 * tokens * matrices + 2.0 * tokens * tokens * queries)
