"""Cuts long recordings into stretches of at most one window, at pauses, and says where nobody speaks.

Speech is told from silence by Silero VAD. A cut lies in a pause, never in a word; only where a whole
window holds no pause is it made at the least speech-like moment and marked, and the next stretch then begins a little
before it, so that the word at the cut is whole in one of the two. Transcribes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ownvoice.data.voice_activity import SPEECH_PROBABILITY, speech_probability

NO_SPEECH_PROBABILITY = 0.15
"""A stretch in which no frame reaches this holds no speech. Far below the threshold, because a voice that is taken for
silence is lost: silence, noise and mains hum stay below 0.09, whispered synthetic speech reaches 0.66, 80 recordings of
a real speaker and 40 of the sample voice 0.99."""
SHORTEST_PAUSE = 0.2
"""Seconds. Shorter gaps are the closures of stop consonants ("ap-ple"), which slow speech draws out to some 0.15 s."""
OVERLAP = 2.0
"""Seconds that are heard twice where a cut had to be made in speech: a few words, to find the seam by."""


@dataclass(frozen=True)
class Stretch:
    """Samples ``start`` to ``end`` of a recording."""

    start: int
    end: int
    cut_in_speech: bool = False
    """Whether ``end`` may lie in a word, for want of a pause."""
    overlap: int = 0
    """Samples at its beginning that the stretch before holds too."""
    speech: float = 1.0
    """Highest probability of speech in it."""

    @property
    def silent(self) -> bool:
        """Whether nobody speaks in it."""
        return self.speech < NO_SPEECH_PROBABILITY


def cut_at_pauses(samples: np.ndarray, longest: int, sampling_rate: int = 16_000) -> list[Stretch]:
    """Cut a recording so that no stretch is longer than ``longest`` samples; together they hold every sample.

    Parameters
    ----------
    samples
        Mono float32 at 8 or 16 kHz, shape ``(n,)``, with ``n > 0``.
    """
    speech, step = speech_probability(samples, sampling_rate)
    overlap = min(round(OVERLAP * sampling_rate), longest // 4)
    stretches: list[Stretch] = []
    start, doubled = 0, 0
    while samples.size - start > longest:
        frame, in_speech = _best_cut(speech, start / step, longest / step, SHORTEST_PAUSE * sampling_rate / step)
        end = frame * step
        stretches.append(Stretch(start, end, in_speech, doubled, _loudest(speech, start, end, step)))
        doubled = overlap if in_speech else 0
        start = end - doubled
    end = samples.size
    return [*stretches, Stretch(start, end, overlap=doubled, speech=_loudest(speech, start, end, step))]


def _best_cut(speech: np.ndarray, start: float, longest: float, shortest: float) -> tuple[int, bool]:
    """Frame to cut at in a window of ``longest`` frames, and whether it may lie in a word."""
    # the first third is asked last, so that stretches stay long enough to give the model context
    first, third, last = (int(start + longest * part) for part in (1 / 20, 1 / 3, 1))
    for low, high in ((third + 1, last), (first + 1, third + 1)):
        frame = _pause(speech[low:high], shortest)
        if frame is not None:
            return low + frame, False
    return third + 1 + int(speech[third + 1 : last].argmin()), True


def _loudest(speech: np.ndarray, start: int, end: int, step: int) -> float:
    return float(speech[start // step : max(start // step + 1, -(-end // step))].max())


def _pause(speech: np.ndarray, shortest: float) -> int | None:
    """The least speech-like place of the longest pause, or None where none is as long as ``shortest`` frames.

    That is not always its middle: soft sounds at the beginning of a word are told from silence late.
    """
    edges = np.flatnonzero(np.diff(np.r_[False, speech < SPEECH_PROBABILITY, False].astype(int)))
    starts, ends = edges[::2], edges[1::2]
    lengths = ends - starts
    if lengths.size == 0 or lengths.max() < shortest:
        return None
    longest = int(lengths.argmax())
    inside = speech[starts[longest] : ends[longest]]
    smooth = np.convolve(np.pad(inside, 1, constant_values=SPEECH_PROBABILITY), np.ones(3), "valid")
    return int(starts[longest]) + int(smooth.argmin())
