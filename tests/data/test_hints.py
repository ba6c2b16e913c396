"""Hints on takes of the built-in sample voice: as it is none, and the right one for each thing that is done to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import ownvoice
from ownvoice.data.audio import SAMPLE_RATE, Samples, load_audio
from ownvoice.data.hints import check_room, hear
from ownvoice.data.voice_activity import speech_probability

CLIPS = sorted((Path(ownvoice.__file__).parent / "model/tiny/sample_voice/clips").glob("*.ogg"))[:20]
TEXT = "hello there my friend"


def noise(samples: Samples, decibels: float) -> Samples:
    """White noise so far below the loudness of ``samples``."""
    level = np.sqrt(np.mean(np.square(samples))) * 10 ** (-decibels / 20)
    return (np.random.default_rng(0).standard_normal(len(samples)) * level).astype(np.float32)


def speech_frames(samples: Samples) -> np.ndarray:
    probability, _ = speech_probability(samples, SAMPLE_RATE)
    return np.flatnonzero(probability > 0.5) * 512


@pytest.mark.parametrize(
    ("kind", "change", "least"),
    [
        (None, lambda samples: samples, 20),
        (None, lambda samples: samples + noise(samples, 25), 20),
        ("clipping", lambda samples: np.clip(8 * samples, -1, 1), 20),
        ("too_quiet", lambda samples: 0.04 * samples, 19),
        ("noisy", lambda samples: samples + noise(samples, 5), 20),
        ("cut_start", lambda samples: samples[speech_frames(samples)[0] + 3200 :], 15),
        ("cut_end", lambda samples: samples[: speech_frames(samples)[-1] - 3200], 18),
        ("empty", lambda samples: 0 * samples, 20),
        ("empty", lambda samples: noise(samples, 20), 20),
    ],
)
def test_what_is_done_to_speech_is_what_is_said_of_it(
    kind: str | None, change: Callable[[Samples], Samples], least: int
) -> None:
    found = [{hint.kind for hint in hear(change(load_audio(clip)), TEXT).hints} for clip in CLIPS]
    assert sum(kinds == ({kind} if kind else set()) for kinds in found) >= least


def test_very_short_takes_are_judged_too() -> None:
    for samples in (1, 300, 512, 700, 1600):
        assert [hint.kind for hint in hear(np.full(samples, 0.001, np.float32), TEXT).hints] == ["empty"]


def test_a_long_take_is_judged_by_both_its_ends_and_soon() -> None:
    speech = np.concatenate([load_audio(clip) for clip in CLIPS])
    long = np.concatenate([*[speech] * 8, load_audio(CLIPS[0])])
    assert len(long) > 300 * SAMPLE_RATE
    spent = time.process_time()
    assert hear(long, TEXT).hints == ()
    assert [hint.kind for hint in hear(long[: speech_frames(long[-48000:])[-1] - 48000 - 3200], TEXT).hints] == [
        "cut_end"
    ]
    assert time.process_time() - spent < 6.0


def test_pace_is_judged_by_what_is_usual_for_the_person() -> None:
    samples = load_audio(CLIPS[0])
    pace = hear(samples, TEXT).pace
    assert pace is not None

    def kinds(usual: float, takes: int) -> list[str]:
        return [hint.kind for hint in hear(samples, TEXT, [usual] * takes).hints]

    assert kinds(pace, 8) == kinds(2 * pace, 8) == kinds(pace / 2, 8) == []
    assert kinds(pace / 4, 8) == ["rate_fast"]
    assert kinds(4 * pace, 8) == ["rate_slow"]
    assert kinds(4 * pace, 7) == []  # too few to say what is usual


def test_where_speech_lies_is_told_for_the_offer_to_trim() -> None:
    samples = np.concatenate([np.zeros(32000, np.float32), load_audio(CLIPS[0]), np.zeros(16000, np.float32)])
    speech = hear(samples, TEXT).speech
    assert speech is not None
    assert 2.0 <= speech[0] < 2.5 and len(samples) / 16000 - 1.6 < speech[1] < len(samples) / 16000 - 1


@pytest.mark.parametrize(
    ("room_db", "gain", "room", "voice"),
    [
        (45, 1.0, "quiet", "good"),
        (19, 1.0, "some_noise", "good"),
        (6, 1.0, "noisy", "good"),
        (45, 0.04, "quiet", "quiet"),
        (45, 8.0, "quiet", "loud"),
    ],
)
def test_a_room_and_a_voice_in_it(room_db: float, gain: float, room: str, voice: str) -> None:
    speech = np.concatenate([np.zeros(32000, np.float32), load_audio(CLIPS[3])])
    checked = check_room(np.clip(gain * (speech + noise(speech, room_db)), -1, 1).astype(np.float32))
    assert (checked.room, checked.voice) == (room, voice)
    assert checked.noise_dbfs is not None and checked.speech_dbfs is not None
    assert checked.noise_dbfs < checked.speech_dbfs


def test_a_room_in_which_nobody_speaks() -> None:
    checked = check_room(noise(load_audio(CLIPS[0]), 30))
    assert (checked.voice, checked.speech_dbfs) == ("none", None)
