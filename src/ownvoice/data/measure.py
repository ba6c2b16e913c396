"""What can be measured of one recording by itself: length, loudness, clipping, and where its speech begins and ends.

Figures only: what is too loud or too long is judged in ``check.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ownvoice.data.audio import SAMPLE_RATE, Samples

FRAME_SECONDS = 0.02
"""Loudness is taken over 20 ms, about two periods of a low voice."""

SPEECH_RANGE_DB = 30.0
"""Frames this far below the loudest one are taken for pause: soft consonants lie 20 to 30 dB below a vowel."""

CLIP_LEVEL = 0.99
"""A sample from here on is at full scale; resampling after clipping takes it a little below 1."""

CLIP_RUN = 3
"""Samples at full scale in a row that make a flat top. A clean peak touches it for one or two."""

LOWEST_DBFS = -120.0
"""Loudness of digital silence, in place of minus infinity."""


@dataclass(frozen=True)
class Measures:
    """Figures of one recording."""

    seconds: float
    speech_start: float
    """Where the first frame within :data:`SPEECH_RANGE_DB` of the loudest begins, in seconds."""
    speech_end: float
    """Where the last such frame ends."""
    loudest_dbfs: float
    """RMS of the loudest frame, in dB below full scale."""
    clipped: float
    """Share of samples that lie in a flat top, from 0 to 1."""

    @property
    def spoken_seconds(self) -> float:
        return self.speech_end - self.speech_start


def measure(samples: Samples) -> Measures:
    """Measure 16 kHz mono samples of shape (samples,), at least one, full scale at -1 and 1."""
    frame = round(FRAME_SECONDS * SAMPLE_RATE)
    padded = np.pad(samples, (0, -len(samples) % frame)).reshape(-1, frame)
    level = np.sqrt(np.mean(np.square(padded, dtype=np.float64), axis=1))
    decibels = 20 * np.log10(np.maximum(level, 10 ** (LOWEST_DBFS / 20)))
    speech = np.flatnonzero(decibels >= decibels.max() - SPEECH_RANGE_DB)
    return Measures(
        seconds=len(samples) / SAMPLE_RATE,
        speech_start=float(speech[0]) * FRAME_SECONDS,
        speech_end=float(speech[-1] + 1) * FRAME_SECONDS,
        loudest_dbfs=float(decibels.max()),
        clipped=_clipped_share(samples),
    )


def _clipped_share(samples: Samples) -> float:
    full = np.abs(samples) >= CLIP_LEVEL
    edges = np.flatnonzero(np.diff(np.concatenate([[False], full, [False]])))
    runs = edges[1::2] - edges[::2]
    return float(runs[runs >= CLIP_RUN].sum() / len(samples))
