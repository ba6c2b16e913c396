"""Cuts lie in pauses; where there is none they are marked."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from ownvoice.data.voice_activity import speech_probability
from ownvoice.model.pauses import cut_at_pauses
from small_voxtral import SECOND


def test_short_recording_is_left_whole() -> None:
    (stretch,) = cut_at_pauses(np.zeros(100, np.float32), longest=100)
    assert (stretch.start, stretch.end, stretch.cut_in_speech) == (0, 100, False)


def test_silence_is_cut_without_a_mark_and_nothing_is_lost() -> None:
    samples = np.zeros(10 * SECOND + 77, np.float32)
    stretches = cut_at_pauses(samples, longest=3 * SECOND)
    assert [stretch.start for stretch in stretches[1:]] == [stretch.end for stretch in stretches[:-1]]
    assert (stretches[0].start, stretches[-1].end) == (0, samples.size)
    assert not any(stretch.cut_in_speech for stretch in stretches)
    assert all(stretch.end - stretch.start <= 3 * SECOND for stretch in stretches)


@pytest.fixture(scope="module")
def sentence(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """About two seconds of synthetic speech without a pause."""
    path = tmp_path_factory.mktemp("speech") / "sentence.wav"
    try:
        subprocess.run(["espeak-ng", "-w", str(path), "please bring me another warm blanket"], check=True)
    except FileNotFoundError:
        pytest.skip("espeak-ng is not installed")
    samples, rate = soundfile.read(path, dtype="float32")
    speech, step = speech_probability(soxr.resample(samples, rate, SECOND), SECOND)
    said = np.flatnonzero(speech >= 0.5)
    return soxr.resample(samples, rate, SECOND)[said[0] * step : said[-1] * step]


def test_cut_lies_between_the_sentences(sentence: np.ndarray, tmp_path: Path) -> None:
    pause = np.zeros(SECOND // 2, np.float32)
    samples = np.concatenate([sentence, pause, sentence, pause, sentence])
    first, *_, last = cut_at_pauses(samples, longest=round(1.6 * (sentence.size + pause.size)))
    assert sentence.size <= first.end <= sentence.size + pause.size
    assert not first.cut_in_speech
    assert last.end == samples.size


def test_speech_without_a_pause_is_cut_and_marked_and_the_seam_is_in_both(sentence: np.ndarray) -> None:
    longest = sentence.size // 2
    stretches = cut_at_pauses(sentence, longest)
    assert all(stretch.cut_in_speech for stretch in stretches[:-1])
    assert len(stretches) >= 3
    for before, after in itertools.pairwise(stretches):
        assert before.end - after.start == after.overlap == longest // 4


def test_silence_is_told_from_speech(sentence: np.ndarray) -> None:
    noise = (0.01 * np.random.default_rng(0).standard_normal(3 * SECOND)).astype(np.float32)
    quiet, loud = cut_at_pauses(np.concatenate([noise, sentence]), longest=3 * SECOND)
    assert quiet.silent
    assert not loud.silent
    assert cut_at_pauses(np.zeros(100, np.float32), longest=100)[0].silent
