"""Recordings of any length: nothing cut in a word, nothing lost or doubled, silence not made up, loops broken."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest

from ownvoice.data.audio import load_audio
from ownvoice.errors import AudioError
from ownvoice.model.load import Recogniser, load_recogniser
from ownvoice.model.pauses import cut_at_pauses
from ownvoice.model.recording import Segment, cut, hear, join, transcribe_long
from real_recordings import long_recording
from small_voxtral import SECOND, murmur

SAMPLE_VOICE = Path(__file__).parents[2] / "src/ownvoice/model/tiny/sample_voice/clips"


@pytest.fixture(scope="module")
def tiny() -> Recogniser:
    return load_recogniser("tiny")


@pytest.mark.parametrize(("window", "marked_at_most"), [(30, 0), (10, 8)])
def test_windows_of_real_speech_are_cut_where_nobody_speaks(window: int, marked_at_most: int) -> None:
    recording = long_recording(400)
    stretches = cut_at_pauses(recording.samples, window * SECOND)
    assert len(stretches) >= 400 / window
    assert (stretches[0].start, stretches[-1].end) == (0, recording.samples.size)
    for before, after in itertools.pairwise(stretches):
        assert after.start == before.end - after.overlap
        assert (after.overlap > 0) == before.cut_in_speech, "only what may be cut in a word is heard twice"
    assert sum(stretch.cut_in_speech for stretch in stretches) <= marked_at_most
    assert all(stretch.end - stretch.start <= window * SECOND for stretch in stretches)
    # The judge is the sound itself and the borders of the clips, not the detector that chose the cuts.
    assert not any(recording.in_a_word(stretch.end) for stretch in stretches[:-1])


def test_each_piece_is_heard_as_if_it_were_alone(tiny: Recogniser) -> None:
    clips = [load_audio(path) for path in sorted(SAMPLE_VOICE.glob("*.ogg"))[:8]]
    pause = np.zeros(SECOND, np.float32)
    samples = np.concatenate([part for clip in clips for part in (clip, pause)])
    transcript = transcribe_long(tiny, samples, "en")
    assert transcript.seconds == samples.size / SECOND
    assert transcript.text == " ".join(segment.text for segment in transcript.segments)
    assert len(transcript.segments) >= 2
    for segment in transcript.segments:
        alone = samples[round(segment.start * SECOND) : round(segment.end * SECOND)]
        (again,) = transcribe_long(tiny, alone, "en").segments
        assert again.text == segment.text


def test_nothing_is_written_where_nobody_speaks(tiny: Recogniser) -> None:
    rng = np.random.default_rng(0)
    for loudness in (0.0, 0.001, 0.01):
        noise = (loudness * rng.standard_normal(15 * SECOND)).astype(np.float32)
        transcript = transcribe_long(tiny, noise, "en")
        assert transcript.text == ""
        assert all(segment.silent for segment in transcript.segments)


def test_no_sound_at_all_is_an_error(tiny: Recogniser) -> None:
    with pytest.raises(AudioError, match="no sound"):
        transcribe_long(tiny, np.zeros(0, np.float32), "en")


def test_an_answer_without_end_is_heard_again_in_halves_and_marked(small_voxtral: Path) -> None:
    recogniser = load_recogniser(small_voxtral, device="cpu")  # random: it never comes to an end
    (piece,) = cut(recogniser, murmur(0.9))
    speaking = dataclasses.replace(piece, stretch=dataclasses.replace(piece.stretch, speech=1.0))
    (segment,) = hear(recogniser, [speaking], "en")
    assert segment.heard_again
    assert segment.doubtful
    assert not segment.silent


def test_an_answer_that_ends_is_heard_once(tiny: Recogniser) -> None:
    clip = load_audio(next(iter(sorted(SAMPLE_VOICE.glob("*.ogg")))))
    (segment,) = hear(tiny, cut(tiny, clip), "en")
    assert segment.text
    assert not (segment.heard_again or segment.doubtful or segment.silent)


def test_what_two_segments_heard_stays_in_one() -> None:
    heard = [
        Segment(0.0, 10.0, "a cup of tea with mil", cut_in_speech=True),
        Segment(8.0, 18.0, "of tea with milk and sugar", cut_in_speech=True, overlap=2.0),
        Segment(16.0, 20.0, "and sugar please", overlap=2.0),
        Segment(20.0, 25.0, "thank you"),
    ]
    joined = list(join(heard))
    assert [segment.text for segment in joined] == ["a cup of tea with", "milk and sugar", "please", "thank you"]
    assert [segment.start for segment in joined] == [0.0, 10.0, 18.0, 20.0]
