"""Variants of a clip for training: mild changes of rate, and blanked bands of the spectrogram (SpecAugment).

All chance is a function of a seed, so that a cached variant and a resumed run are the same as before.
"""

from __future__ import annotations

import hashlib

import numpy as np
import torch

PITCH_BAND = 27
"""Widest blanked band in mel bins: F of the policies in Park et al. 2019 (there of 80 bins, here of 128: milder)."""
TIME_SHARE = 0.2
"""Widest blanked stretch as a share of the clip: p of the Switchboard policies in Park et al. 2019."""
BANDS = 2
"""Bands and stretches blanked in a clip: the number of masks of the LD and Switchboard policies."""


def rate_factor(digest: str, variant: int, seed: int, amount: float) -> float:
    """How much faster a variant of a clip is played, within ``1 - amount`` and ``1 + amount``; variant 0 is the clip.

    Parameters
    ----------
    digest
        Identifies the clip, so that each has its own factors.
    """
    if variant == 0:
        return 1.0
    drawn = hashlib.sha256(f"{digest}:{variant}:{seed}".encode()).digest()
    return 1.0 + amount * (2 * int.from_bytes(drawn[:8]) / 2**64 - 1)


def change_rate(samples: np.ndarray, factor: float) -> np.ndarray:
    """Play a clip ``factor`` times as fast, by resampling: pitch and tempo change together (Ko et al. 2015).

    Parameters
    ----------
    samples
        float32, shape ``(n,)``; the result has about ``n / factor`` samples.
    """
    if factor == 1.0:
        return samples
    import soxr

    return np.asarray(soxr.resample(samples, factor, 1.0), dtype=np.float32)


def spec_augment(mel: torch.Tensor, frames: int, generator: torch.Generator) -> torch.Tensor:
    """Blank random bands of pitch and stretches of time of one clip, with its own mean.

    Parameters
    ----------
    mel
        ``(windows, mel bins, mel frames)`` of one clip.
    frames
        Mel frames that hold sound and no padding; masks of time lie within them.
    """
    windows, bins, length = mel.shape
    spectrum = mel.transpose(0, 1).reshape(bins, windows * length).clone()  # one row a mel bin, over all windows
    mean = spectrum[:, :frames].mean()
    for _ in range(BANDS):
        first, last = _stretch(bins, PITCH_BAND, generator)
        spectrum[first:last, :frames] = mean
        first, last = _stretch(frames, int(TIME_SHARE * frames), generator)
        spectrum[:, first:last] = mean
    return spectrum.reshape(bins, windows, length).transpose(0, 1).contiguous()


def _stretch(whole: int, widest: int, generator: torch.Generator) -> tuple[int, int]:
    width = int(torch.randint(0, min(widest, whole) + 1, (1,), generator=generator))
    first = int(torch.randint(0, whole - width + 1, (1,), generator=generator))
    return first, first + width
