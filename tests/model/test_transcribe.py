"""Batched transcription, on a small random model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ownvoice.model.features import Window
from ownvoice.model.lanes import answer_in_lanes
from ownvoice.model.load import Recogniser, load_recogniser
from ownvoice.model.transcribe import FEWEST_TOKENS, answer_clips, batches_by_length, transcribe_clips
from small_voxtral import SECOND, murmur


@pytest.fixture(scope="module")
def recogniser(small_voxtral: Path) -> Recogniser:
    return load_recogniser(small_voxtral, device="cpu")


def plain_transcript(recogniser: Recogniser, samples: np.ndarray, new_tokens: int) -> str:
    """What transformers' own way gives: the processor's inputs, and generate()."""
    window = recogniser.window
    inputs = recogniser.processor.apply_transcription_request(
        samples, "small", language="en", sampling_rate=SECOND, format="WAV",
        audio_kwargs={"pad_to_multiple_of": window.samples, "max_source_positions": window.mel_frames},
    )  # fmt: skip
    with torch.inference_mode():
        answer = recogniser.model.generate(**inputs, do_sample=False, max_new_tokens=new_tokens, pad_token_id=11)
    return recogniser.prompts.text(answer[0, inputs["input_ids"].shape[1] :].tolist())


def test_batches_give_what_generate_gives_for_each_clip(recogniser: Recogniser) -> None:
    clips = [murmur(seconds, seed=seed) for seed, seconds in enumerate([0.5, 2.2, 0.9, 0.5, 1.5])]
    texts = transcribe_clips(recogniser, clips, "en", batch_size=2)
    for clip, text in zip(clips, texts, strict=True):
        assert text == plain_transcript(recogniser, clip, FEWEST_TOKENS + int(np.ceil(12 * clip.size / SECOND)))
    assert len(set(texts)) == len(texts), "the clips differ, and a model that listens says different things"


def test_no_clips_no_texts(recogniser: Recogniser) -> None:
    assert transcribe_clips(recogniser, [], "en") == []


def test_batches_hold_one_number_of_windows() -> None:
    window = Window(samples=10, mel_frames=4, audio_tokens=1, sampling_rate=SECOND)
    batches = [group for _, group in batches_by_length([10, 25, 7, 21, 3, 30, 5], window, batch_size=2)]
    assert batches == [[4, 6], [2, 0], [3, 1], [5]]


def test_lanes_give_the_same_answers(recogniser: Recogniser) -> None:
    clips = [murmur(seconds, seed=seed) for seed, seconds in enumerate([0.5, 0.9, 0.7, 0.3, 0.8])]
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert answer_in_lanes(recogniser, clips, "en") == answer_clips(recogniser, clips, "en")
    finally:
        torch.set_num_threads(threads)
