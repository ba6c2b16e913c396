"""From samples to what the decoder reads: log-mel windows, audio embeddings, and their place in the prompt.

Voxtral hears in windows of a fixed length (30 s in the published models; shorter in the built-in one): a clip is padded
to a whole number of them. The length is always taken from the model's configuration. Nothing here caches or trains.
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

    Parameters
    ----------
    mel
        ``(windows, mel bins, mel frames)`` on the model's device.

    Returns
    -------
    ``(windows, audio tokens, decoder width)``.
    """
    embeddings: torch.Tensor = model.get_audio_features(mel, return_dict=True).pooler_output
    return embeddings.view(mel.shape[0], -1, model.config.hidden_size)


def splice(model: VoxtralForConditionalGeneration, ids: torch.Tensor, audio: torch.Tensor) -> torch.Tensor:
    """Embeddings of token ids, with the audio embeddings in the audio tokens' places, in order.

    Parameters
    ----------
    ids
        ``(batch, length)``; as many audio tokens in all as ``audio`` has rows.
    audio
        ``(windows, audio tokens, decoder width)``, the windows of the batch one after the other.
    """
    embeddings = model.get_input_embeddings()(ids)
    places = (ids == model.config.audio_token_id).unsqueeze(-1)
    return embeddings.masked_scatter(places, audio.to(embeddings.dtype))  # type: ignore[no-any-return]
