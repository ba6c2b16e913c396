"""Turns clips into text with a loaded model, in batches.

The prompt and the features are those of training. Nothing here measures errors or reads files;
recordings of any length are cut into clips by :mod:`ownvoice.model.recording`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ownvoice.model.adapters import adapts_encoder
from ownvoice.model.features import Window, encode, log_mel, splice
from ownvoice.model.greedy import write_greedily
from ownvoice.model.load import Recogniser

BATCH_SIZE = 16
"""Clips decoded together: 16 windows of 30 s keep the cache of Voxtral-Mini's decoder under 1 GB in bfloat16."""
TOKENS_PER_SECOND = 12
"""Bound on an answer's length. Fast English speech has 4 words a second, and the built-in vocabulary writes a word it
does not know in up to three pieces; a model that says more is repeating itself."""
FEWEST_TOKENS = 24
"""Bound for clips so short that the rate would cut a slow answer."""


@dataclass(frozen=True)
class Answer:
    """What a model wrote of one clip."""

    text: str
    ended: bool
    """Whether the model came to an end by itself, and was not cut off at its bound."""


def transcribe_clips(
    recogniser: Recogniser, clips: Sequence[np.ndarray], language: str | None, *, batch_size: int = BATCH_SIZE
) -> list[str]:
    """The texts of :func:`answer_clips`."""
    return [answer.text for answer in answer_clips(recogniser, clips, language, batch_size=batch_size)]


def answer_clips(
    recogniser: Recogniser, clips: Sequence[np.ndarray], language: str | None, *, batch_size: int = BATCH_SIZE
) -> list[Answer]:
    """Transcribe clips, each as one request; a clip over one window is heard as several windows of one request.

    Parameters
    ----------
    clips
        Mono float32 at the model's rate (16 kHz), each of shape ``(n,)``.
    language
        Two-letter code, or None to have it detected.

    Returns
    -------
    One answer a clip, in the order given.

    Raises
    ------
    AudioError
        when a clip holds no sample.
    """
    answers: dict[int, Answer] = {}
    for group, audio, seconds in _encoded_batches(recogniser, clips, batch_size):
        answers |= zip(group, _answers(recogniser, audio, seconds, language), strict=True)
    return [answers[index] for index in range(len(clips))]


def answer_both(
    recogniser: Recogniser, clips: Sequence[np.ndarray], language: str | None, *, batch_size: int = BATCH_SIZE
) -> tuple[list[Answer], list[Answer]]:
    """What the base and what the tuned model answer; parameters and errors are those of :func:`answer_clips`.

    Where both hear alike, because the adapter is in the decoder alone, each clip is encoded once for the two.

    Raises
    ------
    ModelError
        when the model has no adapter.
    """
    if recogniser.short_windows or (recogniser.adapter is not None and adapts_encoder(recogniser.adapter)):
        with recogniser.as_base():
            base = answer_clips(recogniser, clips, language, batch_size=batch_size)
        return base, answer_clips(recogniser, clips, language, batch_size=batch_size)
    before: dict[int, Answer] = {}
    now: dict[int, Answer] = {}
    for group, audio, seconds in _encoded_batches(recogniser, clips, batch_size):
        with recogniser.as_base():
            before |= zip(group, _answers(recogniser, audio, seconds, language), strict=True)
        now |= zip(group, _answers(recogniser, audio, seconds, language), strict=True)
    places = range(len(clips))
    return [before[index] for index in places], [now[index] for index in places]


def _encoded_batches(
    recogniser: Recogniser, clips: Sequence[np.ndarray], batch_size: int
) -> Iterator[tuple[list[int], torch.Tensor, list[float]]]:
    """Indices of clips to decode together, their audio embeddings, and their lengths in seconds."""
    extractor, whole = recogniser.processor.feature_extractor, recogniser.window
    lengths = [clip.size for clip in clips]
    for window, group in batches_by_length(lengths, whole, batch_size, short=recogniser.short_windows):
        mels = [log_mel(extractor, clips[index], whole)[..., : window.mel_frames] for index in group]
        with torch.inference_mode():
            audio = encode(recogniser.model, torch.cat(mels).to(recogniser.device))
        yield group, audio, [lengths[index] / whole.sampling_rate for index in group]


def batches_by_length(
    lengths: Sequence[int], window: Window, batch_size: int, *, short: bool = False
) -> Iterator[tuple[Window, list[int]]]:
    """The window and the indices of clips to decode together, by their lengths in samples.

    All clips of a batch have the same number of windows of one length, so that no prompt is padded, and about the same
    length, so that their answers end at about the same time.

    Parameters
    ----------
    short
        Whether each clip is heard in its short window rather than in whole ones.
    """

    def shape(index: int) -> tuple[int, Window]:
        return window.count(lengths[index]), window.ending_after(lengths[index]) if short else window

    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    for (_, heard), group in itertools.groupby(order, key=shape):
        alike = list(group)
        yield from ((heard, alike[start : start + batch_size]) for start in range(0, len(alike), batch_size))


def decode(recogniser: Recogniser, audio: torch.Tensor, seconds: Sequence[float], language: str | None) -> list[str]:
    """Write what is heard in encoded clips, the likeliest token at each step.

    Parameters
    ----------
    audio
        ``(clips x windows, audio tokens, decoder width)``; every clip has the same number of windows of one length.
    seconds
        Length of each clip, which bounds its answer.
    """
    return [answer.text for answer in _answers(recogniser, audio, seconds, language)]


@torch.inference_mode()
def _answers(
    recogniser: Recogniser, audio: torch.Tensor, seconds: Sequence[float], language: str | None
) -> list[Answer]:
    prompts = recogniser.prompts
    prompt = prompts.prompt(audio.shape[0] // len(seconds), language, audio.shape[1])
    ids = torch.tensor([prompt] * len(seconds), device=audio.device)
    # Each answer has its own bound, so that a clip's text does not depend on the others of its batch.
    bounds = [FEWEST_TOKENS + math.ceil(TOKENS_PER_SECOND * length) for length in seconds]
    written = write_greedily(recogniser.model, splice(recogniser.model, ids, audio), bounds, prompts.end_id)
    return [Answer(prompts.text(answer), prompts.end_id in answer) for answer in written]
