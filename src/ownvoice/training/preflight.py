"""How much memory and arithmetic training a Voxtral takes, from its shape alone, and how much memory this machine has.

Estimates for a person choosing a model and a method, made without loading or downloading anything, and without torch
until a device is asked for its memory. Nothing is measured or refused here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import psutil

from ownvoice.training.activations import BF16, FP32, Pass, hearing_bytes, pass_bytes

if TYPE_CHECKING:
    import torch

    from ownvoice.config import TrainingSettings

Method = Literal["lora", "qlora", "full"]
Scope = Literal["decoder", "encoder", "both"]


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
    kept_in_bf16: bool = True
    """Whether its files hold bfloat16, in which a CPU then computes too if it can."""

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
            kept_in_bf16=(config.get("dtype") or config.get("torch_dtype")) == "bfloat16",
        )

    @classmethod
    def of_folder(cls, name: str, folder: Path) -> Self:
        """The shape of the model in ``folder``, by its ``config.json``.

        Raises
        ------
        OSError, ValueError, KeyError
            when the file cannot be read, is no JSON, or lacks a size that every model has.
        """
        return cls.of_config(name, json.loads((folder / "config.json").read_text(encoding="utf-8")))

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
        norms = (2 * self.layers + 1) * self.hidden
        decoder = self.layers * self.decoder_layer_parameters + norms + 2 * self.vocabulary * self.hidden
        return self.encoder_parameters + self._projector_parameters + decoder

    @property
    def prompt_tokens(self) -> int:
        """Decoder positions of one window: four frames make a token; 25 of prompt and a short transcript."""
        return self.audio_frames // 4 + 25

    @property
    def linear_parameters(self) -> int:
        """Of all linear layers but the vocabulary head: what 4 bits are enough for."""
        encoder = self.audio_layers * (4 * self.audio_hidden**2 + 2 * self.audio_hidden * self.audio_feed_forward)
        return encoder + self._projector_parameters + self.layers * self.decoder_layer_parameters

    @property
    def decoder_layer_parameters(self) -> int:
        """Of the linear layers of one layer of the decoder: query and output, key and value, and the feed-forward's."""
        attention = 2 * self.hidden * self.head_dim * (self.heads + self.key_value_heads)
        return attention + 3 * self.hidden * self.feed_forward

    @property
    def largest_matrix(self) -> int:
        """Parameters of the largest linear layer but the vocabulary head."""
        return max(self.hidden * self.feed_forward, self.audio_hidden * self.audio_feed_forward)

    @property
    def _projector_parameters(self) -> int:
        return self.audio_feed_forward * self.hidden + self.hidden**2

    def trained_parameters(self, scope: Scope) -> int:
        """Of full training: the encoder without its fixed positions and the projector, the rest, or both."""
        encoder = self.encoder_parameters - self.audio_frames * self.audio_hidden + self._projector_parameters
        decoder = self.parameters - self.encoder_parameters - self._projector_parameters
        return {"encoder": encoder, "decoder": decoder, "both": encoder + decoder}[scope]

    def lora_parameters(self, rank: int, scope: Scope = "both") -> int:
        """Adapters on the encoder's linear layers, the decoder's query, key, value and output projections, or both.

        A matrix from ``a`` to ``b`` gets ``rank * (a + b)`` of them (Hu et al. 2021).
        """
        width, inner = self.audio_hidden, self.audio_feed_forward
        encoder = self.audio_layers * rank * (4 * 2 * width + 2 * (width + inner))
        query, key = self.heads * self.head_dim, self.key_value_heads * self.head_dim
        decoder = self.layers * rank * (2 * (self.hidden + query) + 2 * (self.hidden + key))
        return {"encoder": encoder, "decoder": decoder, "both": encoder + decoder}[scope]


MINI_3B = Shape("Voxtral-Mini-3B", layers=30, hidden=3072, feed_forward=8192, heads=32, key_value_heads=8)
SMALL_24B = Shape("Voxtral-Small-24B", layers=40, hidden=5120, feed_forward=32768, heads=32, key_value_heads=8)

PROCESS_BYTES = 550_000_000
"""What libraries, the tokenizer and buffers take beside the model; on a graphics card, its context and workspaces."""
COMPILED_BYTES = 150_000_000
"""What oneDNN, which computes in bfloat16 on a processor, keeps of its compiled kernels (measured: bench/memory.py)."""
NF4_BYTES = 0.5 + 1 / 64 + 4 / (64 * 256)
"""Bytes of a weight in 4 bits: 64 share a scale of 8 bits, and 256 scales one of 32 (Dettmers et al. 2023)."""
ENTRY_BYTES = 128
"""What a file of features holds beside them (``ownvoice.model.cache.ENTRY_OVERHEAD``)."""
HEARD_TOGETHER = 16
"""Windows of the dev set transcribed at a time (``ownvoice.model.transcribe.BATCH_SIZE``)."""


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes that training takes, by what they hold; those of the process itself are not among them."""

    weights: int
    optimiser: int
    """Adapters, gradients, AdamW's two moments."""
    activations: int
    """The most that a pass and its way back keep at a time, or what transcribing the dev set takes, if that is more."""

    @property
    def total(self) -> int:
        return self.weights + self.optimiser + self.activations


def estimate_memory(
    shape: Shape,
    method: Method,
    *,
    clips: int = 1,
    rank: int = 16,
    scope: Scope = "both",
    bf16: bool = True,
    card: bool = True,
    twice: bool | None = None,
    eight_bit: bool = False,
    heard: int = HEARD_TOGETHER,
) -> MemoryEstimate:
    """What training ``shape`` takes at ``clips`` windows a forward pass.

    A trained parameter costs 4 bytes of gradient and 8 of AdamW's two moments (Loshchilov & Hutter 2019), or 2
    where these are kept in 8 bits (Dettmers et al. 2022); an adapter's own weights are 4 more. In full training all
    weights are float32, and computing in bfloat16 takes a copy of 2 bytes more (Micikevicius et al. 2018). Buffers
    of libraries and fragmentation are not counted.

    Parameters
    ----------
    bf16
        Whether the device computes in bfloat16.
    card
        Whether it is a graphics card.
    twice
        Whether layers are computed twice to save memory; None for what ``checkpointing: auto`` does without need:
        only with qlora.
    eight_bit
        Whether moments are kept in 8 bits; with qlora they always are.
    heard
        Windows of the dev set, if there are fewer than are transcribed at a time.
    """
    size = BF16 if bf16 else FP32
    full, qlora = method == "full", method == "qlora"
    trained = shape.trained_parameters(scope) if full else shape.lora_parameters(rank, scope)
    moments = 2 if eight_bit or qlora else 2 * FP32
    weights = shape.parameters * (FP32 if full else size)
    if qlora:
        weights = round((shape.parameters - shape.linear_parameters) * size + shape.linear_parameters * NF4_BYTES)
    head = shape.vocabulary * shape.hidden
    compiled = COMPILED_BYTES if bf16 and not card else 0
    if compiled and method == "lora":
        weights -= BF16 * head  # the input embedding: rows that no token asks for are never read from the mapped file
    of = Pass(
        adapters=not full,
        encoder=scope != "decoder",
        decoder=scope != "encoder",
        bf16=bf16,
        card=card,
        twice=qlora if twice is None else twice,
    )
    kept = pass_bytes(shape, of, clips)
    look = heard * hearing_bytes(shape, adapters=not full, bf16=bf16)
    if bf16:  # trained weights once more, as they are computed with; in layers computed twice, when it is their turn
        kept += BF16 * (max(shape.decoder_layer_parameters, head) * full if of.twice else trained)
        look += BF16 * trained
    if qlora:
        kept += 2 * size * shape.largest_matrix  # a layer's weights are unpacked while it computes, and on the way back
    gradients = trained * FP32
    return MemoryEstimate(
        weights=weights,
        optimiser=trained * ((0 if full else FP32) + moments) + gradients,
        activations=max(kept, look - gradients) + compiled,  # while the dev set is transcribed there are none
    )


def estimate_run(
    shape: Shape, settings: TrainingSettings, place: Place, *, twice: bool, windows: int = 1, heard: int
) -> MemoryEstimate:
    """:func:`estimate_memory` for a run's settings, with ``windows`` for the longest clip."""
    return estimate_memory(
        shape,
        settings.method,
        clips=settings.batch_size * windows,
        rank=settings.lora.rank,
        scope=settings.scope,
        bf16=place.bf16 and (place.card or shape.kept_in_bf16),
        card=place.card,
        twice=twice,
        eight_bit=settings.eight_bit_moments,
        heard=heard,
    )


def computes_twice(
    shape: Shape, settings: TrainingSettings, place: Place, *, windows: int = 1, heard: int = HEARD_TOGETHER
) -> bool:
    """Whether layers are computed twice: as ``checkpointing`` says, or where memory would be short without."""
    if settings.checkpointing != "auto":
        return settings.checkpointing == "always"
    once = estimate_run(shape, settings, place, twice=False, windows=windows, heard=heard)
    return settings.method == "qlora" or once.total + PROCESS_BYTES > place.free


def features_bytes(shape: Shape, scope: Scope, *, bf16: bool) -> int:
    """Bytes on disk of one window's features: its log-mel frames, or its audio embeddings in scope ``decoder``."""
    if scope == "decoder":
        return shape.audio_frames // 4 * shape.hidden * (BF16 if bf16 else FP32) + ENTRY_BYTES
    return 2 * shape.audio_frames * shape.mel_bins * FP32 + ENTRY_BYTES


def estimate_work(shape: Shape, method: Method, *, twice: bool = False) -> float:
    """Floating-point operations of training once on one window, with the encoder in the scope.

    A forward pass takes two a parameter and position (Kaplan et al. 2020, section 2.1; attention's own share is left
    out); the way back takes as many for the activations, and in full training as many again for the weights.
    """
    decoder = shape.parameters - shape.encoder_parameters - 2 * shape.hidden * shape.vocabulary
    forward = 2.0 * (shape.encoder_parameters * shape.audio_frames + decoder * shape.prompt_tokens)
    return forward * ((3 if method == "full" else 2) + twice)


@dataclass(frozen=True)
class Place:
    """Where training would happen."""

    card: bool
    """A graphics card rather than the processor."""
    bf16: bool
    free: int
    """Bytes of memory."""


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
