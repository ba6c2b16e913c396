"""Examples: features made once, variants in turn, lost entries made again, changed recordings refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from killable import settings

from ownvoice.config import AugmentSettings
from ownvoice.data.audio import load_audio
from ownvoice.data.recording import Recording
from ownvoice.errors import AudioError
from ownvoice.model.augment import change_rate
from ownvoice.model.cache import FeatureStore
from ownvoice.model.features import encode, log_mel
from ownvoice.model.load import Recogniser, load_recogniser
from ownvoice.training.examples import Clip, ExampleMaker


@pytest.fixture(scope="module")
def recogniser(small_voxtral: Path) -> Recogniser:
    return load_recogniser(small_voxtral, device="cpu")


@pytest.fixture
def own_clips(clips: list[Clip], tmp_path: Path) -> list[Clip]:
    """Copies that a test may change."""
    copies = []
    for clip in clips[:3]:
        shutil.copy(clip.audio, tmp_path / clip.audio.name)
        copies.append(Clip(clip.id, tmp_path / clip.audio.name, clip.text))
    return copies


def maker(recogniser: Recogniser, folder: Path, scope: str) -> ExampleMaker:
    return ExampleMaker(recogniser, FeatureStore(folder / "cache"), settings(folder, scope=scope))


def mel(recogniser: Recogniser, clip: Clip, factor: float = 1.0) -> torch.Tensor:
    samples = change_rate(load_audio(clip.audio), factor)
    return log_mel(recogniser.processor.feature_extractor, samples, recogniser.window)


def test_features_are_mel_windows_with_the_encoder_in_the_scope(
    recogniser: Recogniser, own_clips: list[Clip], tmp_path: Path
) -> None:
    making = maker(recogniser, tmp_path, "both")
    done: list[int] = []
    examples = making.prepare(own_clips, None, lambda: done.append(1))
    assert len(done) == 3
    for clip, example in zip(own_clips, examples, strict=True):
        assert torch.equal(making.features(example, 0), mel(recogniser, clip))
    assert [example.length[0] for example in examples] == [1, 1, 2]


def test_features_are_embeddings_with_scope_decoder(
    recogniser: Recogniser, own_clips: list[Clip], tmp_path: Path
) -> None:
    making = maker(recogniser, tmp_path, "decoder")
    examples = making.prepare(own_clips, None, lambda: None)
    with torch.no_grad():
        expected = [encode(recogniser.model, mel(recogniser, clip)) for clip in own_clips]
    for example, embeddings in zip(examples, expected, strict=True):
        assert torch.equal(making.features(example, 0), embeddings)


def test_recordings_are_not_needed_again_once_prepared(
    recogniser: Recogniser, own_clips: list[Clip], tmp_path: Path
) -> None:
    making = maker(recogniser, tmp_path, "both")
    examples = making.prepare(own_clips, None, lambda: None)
    before = [making.features(example, 0) for example in examples]
    for clip in own_clips:
        clip.audio.unlink()
    assert all(torch.equal(making.features(example, 0), old) for example, old in zip(examples, before, strict=True))


def test_lost_entry_is_made_again_from_the_recording_unless_that_changed(
    recogniser: Recogniser, own_clips: list[Clip], tmp_path: Path
) -> None:
    making = maker(recogniser, tmp_path, "both")
    first, second, _ = making.prepare(own_clips, None, lambda: None)
    expected = making.features(first, 0)
    shutil.rmtree(tmp_path / "cache")
    assert torch.equal(making.features(first, 0), expected)
    shutil.copy(own_clips[0].audio, own_clips[1].audio)
    with pytest.raises(AudioError, match="was changed while it was being trained on"):
        making.features(second, 0)


def test_variants_take_turns_and_the_first_is_the_recording(
    recogniser: Recogniser, own_clips: list[Clip], tmp_path: Path
) -> None:
    making = maker(recogniser, tmp_path, "both")
    examples = making.prepare(own_clips, AugmentSettings(variants=3, rate=0.2), lambda: None)
    clip, example = own_clips[1], examples[1]
    factors = [sound.factor for sound in example.sounds]
    assert factors[0] == 1.0
    assert len(set(factors)) == 3
    for epoch in range(6):
        expected = mel(recogniser, clip, factors[epoch % 3])
        assert torch.equal(making.batch([example], epoch).sound[0], expected)


def test_masks_change_the_sound_and_not_the_kept_features(
    recogniser: Recogniser, own_clips: list[Clip], tmp_path: Path
) -> None:
    making = maker(recogniser, tmp_path, "both")
    examples = making.prepare(own_clips, None, lambda: None)
    plain = making.batch(examples, 0).sound[0]
    masked = making.batch(examples, 0, torch.Generator().manual_seed(1)).sound[0]
    assert not torch.equal(masked, plain)
    assert torch.equal(making.batch(examples, 0).sound[0], plain)


def test_a_trimmed_clip_has_features_of_its_own(recogniser: Recogniser, own_clips: list[Clip], tmp_path: Path) -> None:
    making = maker(recogniser, tmp_path, "both")
    whole = own_clips[0]
    trimmed = Clip("trimmed", Recording(whole.audio, (0.1, 0.4)), whole.text)
    first, second = making.prepare([whole, trimmed], None, lambda: None)
    assert first.digest != second.digest and first.sounds[0].key != second.sounds[0].key
    assert second.sounds[0].samples == 4800
    samples = load_audio(whole.audio)[1600:6400]
    expected = log_mel(recogniser.processor.feature_extractor, samples, recogniser.window)
    assert torch.equal(making.features(second, 0), expected)


@pytest.mark.parametrize("scope", ["both", "decoder"])
def test_full_store_changes_no_feature(
    recogniser: Recogniser, own_clips: list[Clip], tmp_path: Path, scope: str
) -> None:
    kept = maker(recogniser, tmp_path, scope)
    expected = [kept.features(example, 0) for example in kept.prepare(own_clips, None, lambda: None)]
    full = ExampleMaker(recogniser, FeatureStore(tmp_path / "none", 0), settings(tmp_path, scope=scope))
    examples = full.prepare(own_clips, None, lambda: None)
    assert full.unkept == 3 and kept.unkept == 0
    for example, features in zip(examples, expected, strict=True):
        assert torch.equal(full.features(example, 0), features)
    assert not (tmp_path / "none").exists()
