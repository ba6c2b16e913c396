"""Short windows: the beginning of whole ones, in sound, encoder, prompt and transcription."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from ownvoice.config import LoraSettings
from ownvoice.model.adapters import Scope, adapts_encoder, add_lora, trained_tensors
from ownvoice.model.features import Window, encode, log_mel
from ownvoice.model.load import Recogniser, load_recogniser
from ownvoice.model.loss import LabelLoss, make_batch
from ownvoice.model.transcribe import answer_both, answer_clips, batches_by_length
from small_voxtral import SECOND, murmur


@pytest.fixture(scope="module")
def recogniser(small_voxtral: Path) -> Recogniser:
    return load_recogniser(small_voxtral, device="cpu", dtype=torch.float32)


@pytest.mark.parametrize(
    ("seconds", "tokens"), [(0.1, 8), (0.39, 8), (0.4, 16), (4.0, 56), (29.4, 375), (30, 375), (31, 375)]
)
def test_short_window_ends_soon_after_the_sound(seconds: float, tokens: int) -> None:
    """A quarter of a second at least is left, in steps of 0.64 s; the published window has 375 tokens."""
    whole = Window(samples=30 * SECOND, mel_frames=3000, audio_tokens=375, sampling_rate=SECOND)
    short = whole.ending_after(round(seconds * SECOND))
    assert (short.audio_tokens, short.mel_frames, short.samples) == (tokens, 8 * tokens, 1280 * tokens)
    assert short == whole or short.seconds >= seconds + 0.25


def test_encoder_gives_what_transformers_gives_for_whole_windows(recogniser: Recogniser) -> None:
    mel = log_mel(recogniser.processor.feature_extractor, murmur(1.7), recogniser.window)
    with torch.no_grad():
        expected = recogniser.model.get_audio_features(mel, return_dict=True).pooler_output
        assert torch.equal(encode(recogniser.model, mel).flatten(0, 1), expected.flatten(0, -2))


def test_short_window_is_heard_as_by_a_model_of_that_window(recogniser: Recogniser, small_voxtral: Path) -> None:
    """transformers' own encoder, given the first positions alone, agrees."""
    mel = log_mel(recogniser.processor.feature_extractor, murmur(0.3), recogniser.window)[..., :64]
    smaller = load_recogniser(small_voxtral, device="cpu", dtype=torch.float32).model
    tower = smaller.model.audio_tower
    tower.config.max_source_positions = 32
    tower.embed_positions = torch.nn.Embedding.from_pretrained(tower.embed_positions.weight[:32])
    with torch.no_grad():
        expected = smaller.get_audio_features(mel, return_dict=True).pooler_output
        assert torch.equal(encode(recogniser.model, mel).flatten(0, 1), expected.flatten(0, -2))


def test_sound_of_a_short_window_is_that_of_a_whole_one(recogniser: Recogniser) -> None:
    """The loudness floor is the clip's own and not the padding's: padded with less silence, the frames are the same."""
    extractor, whole = recogniser.processor.feature_extractor, recogniser.window
    quiet, loud = 0.01 * murmur(0.3), murmur(0.3)
    for clip in (quiet, loud):
        short = whole.ending_after(clip.size)
        cut = log_mel(extractor, clip, whole)[..., : short.mel_frames]
        own = log_mel(extractor, clip, short)
        # the last frame of a window looks past its end, where the spectrogram reflects the signal: silence either way
        assert torch.equal(cut, own)


def test_prompt_has_as_many_audio_tokens_fewer(recogniser: Recogniser) -> None:
    prompts = recogniser.prompts
    whole, short = prompts.prompt(1, "en"), prompts.prompt(1, "en", 8)
    assert short.count(prompts.audio_id) == 8
    assert [token for token in short if token != prompts.audio_id] == [
        token for token in whole if token != prompts.audio_id
    ]
    assert prompts.prompt(1, "en", 12) == whole


def test_clip_is_heard_the_same_whatever_it_is_heard_with(recogniser: Recogniser) -> None:
    clips = [murmur(seconds, seed=seed) for seed, seconds in enumerate([0.3, 0.9, 0.32, 2.2, 0.1])]
    recogniser.short_windows = True
    try:
        together = answer_clips(recogniser, clips, "en")
        assert together == [answer_clips(recogniser, [clip], "en")[0] for clip in clips]
    finally:
        recogniser.short_windows = False
    whole = answer_clips(recogniser, clips, "en")
    assert [a == b for a, b in zip(together, whole, strict=True)] == [False, True, False, True, False]


def test_batches_hold_one_length_of_window() -> None:
    window = Window(samples=30 * SECOND, mel_frames=3000, audio_tokens=375, sampling_rate=SECOND)
    lengths = [round(seconds * SECOND) for seconds in (3.0, 40, 3.1, 29.9, 5, 2.9)]
    batches = [(heard.audio_tokens, group) for heard, group in batches_by_length(lengths, window, 2, short=True)]
    assert batches == [(40, [5]), (48, [0, 2]), (72, [4]), (375, [3]), (375, [1])]


def test_batch_of_several_lengths_has_the_loss_of_its_clips(recogniser: Recogniser) -> None:
    """Loss and gradients of a batch with short windows of two lengths and a whole one are those of each clip alone."""
    clips: list[np.ndarray] = [murmur(0.3, seed=1), murmur(0.9, seed=2), murmur(0.35, seed=3), murmur(1.5, seed=4)]
    window, prompts = recogniser.window, recogniser.prompts
    parts = []
    for number, clip in enumerate(clips):
        short = window.ending_after(clip.size)
        mel = log_mel(recogniser.processor.feature_extractor, clip, window)[..., : short.mel_frames]
        parts.append((prompts.prompt(mel.shape[0], "en", short.audio_tokens), prompts.target("tea " * number), mel))
    loss_of = LabelLoss(recogniser.model)

    def loss(chosen: list[tuple[tuple[int, ...], list[int], torch.Tensor]]) -> torch.Tensor:
        heads, targets, sounds = zip(*chosen, strict=True)
        return loss_of(make_batch(heads, targets, sounds, encoded=False, pad_id=prompts.pad_id))

    torch.testing.assert_close(loss(parts), sum(loss([part]) for part in parts), rtol=1e-5, atol=0)


@pytest.mark.parametrize("scope", ["decoder", "both"])
def test_base_and_tuned_model_answer_together_what_they_answer_alone(recogniser: Recogniser, scope: Scope) -> None:
    tuned = copy.deepcopy(recogniser)
    tuned.adapter = add_lora(tuned.model, scope, LoraSettings(rank=4, alpha=64), seed=0, base_name="small")
    torch.manual_seed(1)
    for name, tensor in trained_tensors(tuned.model).items():
        if "lora_B" in name:
            torch.nn.init.normal_(tensor, std=0.1)
    tuned.model.eval()
    assert adapts_encoder(tuned.adapter) == (scope == "both")
    clips = [murmur(seconds, seed=seed) for seed, seconds in enumerate([0.3, 0.9, 2.2])]
    encoded: list[int] = []
    tuned.model.model.audio_tower.layer_norm.register_forward_hook(lambda layer, given, made: encoded.append(len(made)))
    before, now = answer_both(tuned, clips, "en")
    assert sum(encoded) == (5 if scope == "decoder" else 10)
    assert before == answer_clips(recogniser, clips, "en")
    assert now == answer_clips(tuned, clips, "en") != before
