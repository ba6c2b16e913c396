"""Rate variants and SpecAugment: bounded, seeded, and nothing done where nothing was asked."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ownvoice.model.augment import BANDS, PITCH_BAND, change_rate, rate_factor, spec_augment
from small_voxtral import SECOND, murmur


def test_variant_zero_is_the_clip_itself() -> None:
    assert rate_factor("clip", 0, seed=3, amount=0.1) == 1.0
    samples = murmur(0.5)
    assert change_rate(samples, 1.0) is samples


def test_factors_fill_their_range_and_repeat_by_seed() -> None:
    factors = [rate_factor(f"clip {number}", 1, seed=3, amount=0.1) for number in range(300)]
    assert 0.9 <= min(factors) < 0.91
    assert 1.09 < max(factors) <= 1.1
    assert rate_factor("clip 7", 1, seed=3, amount=0.1) == factors[7]
    assert rate_factor("clip 7", 2, seed=3, amount=0.1) != factors[7]
    assert rate_factor("clip 7", 1, seed=4, amount=0.1) != factors[7]


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_faster_is_shorter_and_higher(factor: float) -> None:
    tone = np.sin(2 * np.pi * 500 * np.arange(SECOND) / SECOND).astype(np.float32)
    changed = change_rate(tone, factor)
    assert changed.dtype == np.float32
    assert changed.size == pytest.approx(SECOND / factor, abs=2)
    peak = np.abs(np.fft.rfft(changed)).argmax() * SECOND / changed.size
    assert peak == pytest.approx(500 * factor, rel=0.01)


def test_masks_are_bounded_seeded_and_stay_within_the_sound() -> None:
    mel = torch.randn(2, 128, 96)
    frames = 130
    masked = spec_augment(mel, frames, torch.Generator().manual_seed(5))
    again = spec_augment(mel, frames, torch.Generator().manual_seed(5))
    other = spec_augment(mel, frames, torch.Generator().manual_seed(6))
    assert torch.equal(masked, again)
    assert not torch.equal(masked, other)
    changed = (masked != mel).transpose(0, 1).reshape(128, 192)
    assert not changed[:, frames:].any(), "padding is left as it is"
    assert 0 < changed[:, :frames].all(1).sum() <= BANDS * PITCH_BAND
    assert changed[:, :frames].all(0).sum() <= BANDS * 0.2 * frames
    assert mel.shape == masked.shape
