"""From samples to what the decoder reads: log-mel windows, audio embeddings, and their place in the prompt.

Voxtral hears in windows of a fixed length (30 s in the published models; shorter in the built-in one): a clip is padded
to a whole number of them. The length is always taken from the model's configuration. A short window is the beginning of
such a window that ends soon after the sound: the same numbers, fewer of them. Nothing here caches or trains.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from ownvoice.errors import AudioError

if TYPE_CHECKING:
    from transformers import VoxtralConfig, VoxtralForConditionalGeneration, WhisperFeatureExtractor

CONV_STRIDE = 2
"""Mel frames to one encoder frame: the stride of the encoder's second convolution."""
SHORT_MARGIN = 0.25
"""Seconds of silence a short window holds at least after the sound: that it is over can be heard."""
SHORT_STEP = 8
"""Audio tokens (0.64 s) by which short windows differ: few lengths, so that clips find others to share a pass with."""


@dataclass(frozen=True)
class Window:
    """The stretch of audio the encoder takes at a time."""

    samples: int
    mel_frames: int
    audio_tokens: int
    """Places one window takes in the prompt: four encoder frames make one."""
    sampling_rate: int

    @classmethod
    def of(cls, config: VoxtralConfig, extractor: WhisperFeatureExtractor) -> Window:
        """The window of a model; the extractor gives the samples of a mel frame."""
        audio = config.audio_config
        frames = audio.max_source_positions * CONV_STRIDE
        return cls(
            samples=frames * extractor.hop_length,
            mel_frames=frames,
            audio_tokens=audio.max_source_positions * audio.hidden_size // audio.intermediate_size,
            sampling_rate=extractor.sampling_rate,
        )

    @property
    def seconds(self) -> float:
        return self.samples / self.sampling_rate

    def count(self, samples: int) -> int:
        """How many windows a clip of this many samples fills, the last one padded."""
        return max(1, math.ceil(samples / self.samples))

    def ending_after(self, samples: int) -> Window:
        """The short window of a clip; this window itself for a clip that nearly fills it or has several.

        It depends on the clip alone, never on the others it is heard with.
        """
        each = self.samples // self.audio_tokens
        tokens = math.ceil((samples + SHORT_MARGIN * self.sampling_rate) / each / SHORT_STEP) * SHORT_STEP
        if tokens >= self.audio_tokens:
            return self
        frames = self.mel_frames // self.audio_tokens
        return Window(tokens * each, tokens * frames, tokens, self.sampling_rate)


def log_mel(extractor: WhisperFeatureExtractor, samples: np.ndarray, window: Window) -> torch.Tensor:
    """Log-mel spectrogram of one clip, exactly as ``VoxtralProcessor`` makes it.

    Parameters
    ----------
    samples
        Mono float32 in [-1, 1] at ``window.sampling_rate``, shape ``(n,)``. (The processor itself writes arrays to a
        16-bit file first, which changes samples over half of full scale by one step; samples read from a recording
        are taken as they are here.)

    Returns
    -------
    float32 of shape ``(windows, mel bins, window.mel_frames)``. All windows of a clip share one loudness floor.

    Raises
    ------
    AudioError
        when there is not a single sample.
    """
    if samples.size == 0:
        raise AudioError("the clip holds no sound at all")
    with _one_thread():
        spectrum: torch.Tensor = extractor(
            samples,
            sampling_rate=window.sampling_rate,
            padding=True,
            truncation=False,
            pad_to_multiple_of=window.samples,
            return_tensors="pt",
        )["input_features"]
    return spectrum.reshape(extractor.feature_size, -1, window.mel_frames).transpose(0, 1).contiguous()


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """One clip's spectrogram is too little work to share: where other programs run, threads wait for each other longer
    than the work takes (measured on two busy cores: 120 ms a clip with two threads, 5 ms with one).
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def encode(model: VoxtralForConditionalGeneration, mel: torch.Tensor) -> torch.Tensor:
    """Audio embeddings, after the projector: what stands in the prompt at the audio tokens.

    For whole windows this is ``VoxtralForConditionalGeneration.get_audio_features``, which refuses any other length;
    for a short window the same layers run on the first positions.

    Parameters
    ----------
    mel
        ``(windows, mel bins, mel frames)``; whole windows, or short ones of one length.

    Returns
    -------
    ``(windows, audio tokens, decoder width)``.
    """
    tower, projector = model.model.audio_tower, model.model.multi_modal_projector
    gelu = torch.nn.functional.gelu
    hidden = gelu(tower.conv2(gelu(tower.conv1(mel.to(tower.conv1.weight))))).transpose(1, 2)
    hidden = (hidden + tower.embed_positions.weight[: hidden.shape[1]]).to(hidden.dtype)
    hidden = torch.nn.functional.dropout(hidden, p=tower.dropout, training=tower.training)
    for layer in tower.layers:
        hidden = layer(hidden, attention_mask=None)
    frames = tower.layer_norm(hidden)
    embeddings: torch.Tensor = projector(frames.reshape(mel.shape[0], -1, model.config.audio_config.intermediate_size))
    return embeddings


def splice(model: VoxtralForConditionalGeneration, ids: torch.Tensor, audio: torch.Tensor) -> torch.Tensor:
    """Embeddings of token ids, with the audio embeddings in the audio tokens' places, in order.

    Parameters
    ----------
    ids
        ``(batch, length)``; as many audio tokens in all as ``audio`` has rows.
    audio
        ``(..., decoder width)``: the audio embeddings of the batch one after the other.
    """
    embeddings = model.get_input_embeddings()(ids)
    places = (ids == model.config.audio_token_id).flatten()
    rows = audio.flatten(0, -2).to(embeddings.dtype)
    # masked_scatter says the same, but counts on its way back how much there was, for which a card has to be waited for
    spread = rows.index_select(0, (places.cumsum(0) - 1).clamp(min=0)).view_as(embeddings)
    return torch.where(places.view(*ids.shape, 1), spread, embeddings)
