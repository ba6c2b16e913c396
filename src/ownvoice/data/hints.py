"""What a person may like to know of a take at once, and how fit a room and its microphone are.

Findings only, as kinds and figures: the words for them are the page's, and no finding refuses a take. Thresholds are
shared with ``check.py`` where they judge the same thing.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ownvoice.data.audio import SAMPLE_RATE, Samples
from ownvoice.data.check import CLIPPED_SHARE, PACE_FACTOR, PACE_SAMPLE, SILENT_DBFS, pace
from ownvoice.data.measure import Measures, measure
from ownvoice.data.voice_activity import SPEECH_PROBABILITY, speech_probability

HintKind = Literal["clipping", "too_quiet", "noisy", "cut_start", "cut_end", "empty", "rate_fast", "rate_slow"]

QUIET_DBFS = -38.0
"""A loudest 20 ms below this is quiet for speech, which comes to about -40 at a poor microphone's worst (``check.py``)
and to -20 to -6 at arm's length."""

NOISY_DB = 15.0
"""Speech less than this above what is between it: recognisers make clearly more errors below about 15 dB."""

SOME_NOISE_DB = 25.0
"""Speech less than this above the room is well understood, and a quieter room is still better."""

NOT_SPEECH = 0.3
"""Frames below this probability are no speech. Below Silero's own 0.5, since slurred speech scores low."""

FLAT_DB = 10.0
"""Sound whose loudest moment is less than this above its middle is noise or a hum; syllables rise further."""

_EDGE_FRAMES = 5
"""Speech within so many frames of 32 ms of an end is near it: the detector takes up to four to be sure."""

_EDGE_DB = 15.0
"""A take that begins or ends less than this below its usual loudness does so in the middle of a sound: even a soft
consonant, let alone a breath, is further below a vowel."""

_LISTENED_SECONDS = 30
"""Of a longer take its beginning and its end are listened to for speech: ten minutes would take many seconds, while
somebody waits. Loudness and clipping are those of all of it."""

_ROOM_DB = 6.0
"""Noise wavers from frame to frame by less than this."""

_LEAST_GAP_FRAMES = 6
"""Frames without speech, 0.2 s of them, that are needed to say anything of the noise."""


@dataclass(frozen=True)
class Hint:
    """One finding."""

    kind: HintKind
    values: dict[str, float] = field(default_factory=dict)
    """Figures behind it: dB of full scale, dB of distance, per cent, letters a second."""


@dataclass(frozen=True)
class Heard:
    """What a take sounds like."""

    hints: tuple[Hint, ...]
    speech: tuple[float, float] | None
    """Seconds at which speech begins and ends; None where none was heard."""
    pace: float | None
    """Letters a second; None where text or sound do not tell (:func:`ownvoice.data.check.pace`)."""


@dataclass(frozen=True)
class RoomCheck:
    """What five seconds of a room and of somebody who speaks in it tell."""

    noise_dbfs: float | None
    """Loudness between the words; None where somebody spoke all the time."""
    speech_dbfs: float | None
    """Loudness of the words; None where nobody spoke."""
    room: Literal["quiet", "some_noise", "noisy", "unknown"]
    voice: Literal["good", "quiet", "loud", "none"]


def hear(samples: Samples, text: str, earlier: Sequence[float] = ()) -> Heard:
    """Judge a take of ``text``.

    Parameters
    ----------
    samples
        Shape (samples,), 16 kHz mono, at least one.
    earlier
        Paces of earlier takes of the same person; from :data:`~ownvoice.data.check.PACE_SAMPLE` on they say what is
        usual for them.
    """
    measures = measure(samples)
    half = _LISTENED_SECONDS * SAMPLE_RATE // 2
    frames, levels = _frames(samples if len(samples) <= 2 * half else np.concatenate([samples[:half], samples[-half:]]))
    if _is_empty(measures, frames, levels):
        return Heard((Hint("empty", {"dbfs": round(measures.loudest_dbfs, 1)}),), None, None)
    found: list[Hint] = []
    if measures.clipped > CLIPPED_SHARE:
        found.append(Hint("clipping", {"percent": round(100 * measures.clipped, 1)}))
    if measures.loudest_dbfs < QUIET_DBFS:
        found.append(Hint("too_quiet", {"dbfs": round(measures.loudest_dbfs, 1)}))
    spoken, room = _loudness(frames, levels)
    if spoken is not None and room is not None and spoken - room < NOISY_DB:
        found.append(Hint("noisy", {"db": round(spoken - room, 1)}))
    sounding = _sounding_dbfs(spoken, room)
    if _begins_in_speech(frames, levels, sounding):
        found.append(Hint("cut_start"))
    if _begins_in_speech(frames[-2::-1], levels[-2::-1], sounding):  # the last frame is filled up with silence
        found.append(Hint("cut_end"))
    rate = pace(text, measures)
    found += _pace_hints(rate, earlier)
    return Heard(tuple(found), _speech(measures), rate)


def check_room(samples: Samples) -> RoomCheck:
    """Judge a room and a microphone from a few seconds in which somebody first is quiet and then speaks.

    ``samples`` are of shape (samples,), 16 kHz mono, at least one.
    """
    frames, levels = _frames(samples)
    spoken, noise = _loudness(frames, levels)
    peak = measure(samples)
    voice: Literal["good", "quiet", "loud", "none"] = "good"
    if spoken is None or peak.loudest_dbfs < SILENT_DBFS:
        return RoomCheck(_rounded(noise), None, "unknown", "none")
    if peak.clipped > CLIPPED_SHARE:
        voice = "loud"
    elif peak.loudest_dbfs < QUIET_DBFS:
        voice = "quiet"
    room: Literal["quiet", "some_noise", "noisy", "unknown"] = "unknown"
    if noise is not None:
        distance = spoken - noise
        room = "noisy" if distance < NOISY_DB else "some_noise" if distance < SOME_NOISE_DB else "quiet"
    return RoomCheck(_rounded(noise), _rounded(spoken), room, voice)


def _frames(samples: Samples) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Probability of speech and loudness (dB of full scale) of each frame of 32 ms."""
    probability, step = speech_probability(samples, SAMPLE_RATE)
    padded = np.pad(samples, (0, -len(samples) % step)).reshape(-1, step)
    level = np.sqrt(np.mean(np.square(padded, dtype=np.float64), axis=1))
    return probability, 20 * np.log10(np.maximum(level, 1e-6))


def _is_empty(measures: Measures, frames: NDArray[np.float64], levels: NDArray[np.float64]) -> bool:
    """Whether nobody spoke, and surely: to tell somebody who did that they did not is worse than to say nothing."""
    flat = bool(levels.max() - np.median(levels) < FLAT_DB)
    return measures.loudest_dbfs < SILENT_DBFS or (flat and bool(frames.max() < NOT_SPEECH))


def _sounding_dbfs(spoken: float | None, room: float | None) -> float:
    """Loudness from which on a frame is in the middle of a sound."""
    if spoken is None:
        return 0.0
    return spoken - _EDGE_DB if room is None else max(spoken - _EDGE_DB, room + _ROOM_DB)


def _begins_in_speech(frames: NDArray[np.float64], levels: NDArray[np.float64], sounding: float) -> bool:
    near = frames[:_EDGE_FRAMES] >= SPEECH_PROBABILITY
    return bool(near.any()) and bool(levels[0] > sounding)


def _loudness(frames: NDArray[np.float64], levels: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Loudness of the frames that are speech and of those that surely are not; None where there are too few."""
    spoken, between = levels[frames >= SPEECH_PROBABILITY], levels[frames < NOT_SPEECH]
    return (
        float(np.median(spoken)) if len(spoken) else None,
        float(np.median(between)) if len(between) >= _LEAST_GAP_FRAMES else None,
    )


def _pace_hints(rate: float | None, earlier: Sequence[float]) -> list[Hint]:
    if rate is None or len(earlier) < PACE_SAMPLE:
        return []
    usual = statistics.median(earlier)
    values = {"pace": round(rate, 1), "usual": round(usual, 1)}
    if rate > PACE_FACTOR * usual:
        return [Hint("rate_fast", values)]
    return [Hint("rate_slow", values)] if rate < usual / PACE_FACTOR else []


def _speech(measures: Measures) -> tuple[float, float]:
    return round(measures.speech_start, 3), round(measures.speech_end, 3)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
