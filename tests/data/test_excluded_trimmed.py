"""Excluded, trimmed and replaced recordings: kept as they are, and respected wherever recordings are used."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from ownvoice.data.audio import SAMPLE_RATE, load_audio, write_wav
from ownvoice.data.check import check_voice
from ownvoice.data.importers import import_recordings
from ownvoice.data.manifest import append_utterances, read_manifest, revise_utterance, scan_manifest
from ownvoice.data.recording import Recording, load_recording, recording_of
from ownvoice.data.utterance import Utterance, utterance_id
from ownvoice.errors import AudioError, DataError, ManifestError
from ownvoice.rundir import VoiceFolder
from small_voxtral import murmur
from voices import make_voice


@pytest.fixture
def three(tmp_path: Path) -> VoiceFolder:
    """A voice of three recordings."""
    return make_voice(tmp_path / "anna", 3)


def names(voice: VoiceFolder) -> list[str]:
    return [utterance_id(utterance) for utterance in read_manifest(voice).utterances]


def test_an_excluded_recording_stays_in_the_manifest_and_counts_no_more(three: VoiceFolder) -> None:
    revised = revise_utterance(three, "wavs/0002.wav", excluded=True)
    assert revised.excluded and revised.edited
    reading = read_manifest(three)
    assert names(three) == ["wavs/0001.wav", "wavs/0003.wav"]
    assert reading.everything[1] == revised
    assert reading.warnings == []
    assert len(three.manifest.read_text().splitlines()) == 4

    revise_utterance(three, "wavs/0002.wav", excluded=False)
    assert names(three) == ["wavs/0001.wav", "wavs/0002.wav", "wavs/0003.wav"]


def test_the_check_passes_over_what_is_excluded(three: VoiceFolder) -> None:
    (three.wavs / "0002.wav").write_bytes(b"broken")
    assert [problem.file for problem in check_voice(three)] == ["wavs/0002.wav"]
    revise_utterance(three, "wavs/0002.wav", excluded=True)
    assert check_voice(three) == []


def test_a_take_that_replaces_another_excludes_it_until_it_is_taken_back(three: VoiceFolder) -> None:
    write_wav(three.wavs / "0004.wav", murmur(0.9, seed=9))
    again = Utterance("wavs/0004.wav", "better", replaces="wavs/0001.wav")
    append_utterances(three, [again])
    assert names(three) == ["wavs/0002.wav", "wavs/0003.wav", "wavs/0004.wav"]
    revise_utterance(three, "wavs/0001.wav", excluded=False)
    revise_utterance(three, "wavs/0004.wav", text="better words")  # a correction does not exclude it once more
    assert names(three) == ["wavs/0001.wav", "wavs/0002.wav", "wavs/0003.wav", "wavs/0004.wav"]


def test_a_revision_keeps_everything_else_of_the_line(three: VoiceFolder) -> None:
    full = Utterance("wavs/0003.wav", "old", id="x", phrase_id="p", take=2, extra={"mood": "tired"})
    append_utterances(three, [full])
    revise_utterance(three, "x", text="new", trim=(0.1, 0.5))
    found = read_manifest(three).everything[-1]
    assert dataclasses.replace(found, edited=None) == dataclasses.replace(full, text="new", trim=(0.1, 0.5))


def test_revising_what_is_not_there_or_to_what_cannot_be_is_refused(three: VoiceFolder) -> None:
    before = three.manifest.read_bytes()
    with pytest.raises(DataError, match="no recording 'nobody'"):
        revise_utterance(three, "nobody", text="new")
    with pytest.raises(ManifestError, match="trim"):
        revise_utterance(three, "wavs/0001.wav", trim=(2.0, 1.0))
    with pytest.raises(ManifestError, match="leads out"):
        revise_utterance(three, "wavs/0001.wav", audio_path="../other.wav")
    assert three.manifest.read_bytes() == before


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ('"excluded": "yes"', "true or false"),
        ('"excluded": 1', "true or false"),
        ('"trim": 3', "start and end"),
        ('"trim": [1]', "start and end"),
        ('"trim": [true, 2]', "start and end"),
        ('"trim": ["0", "1"]', "start and end"),
        ('"trim": [-1, 2]', "begin at 0"),
        ('"trim": [2, 2]', "end after"),
        ('"trim": [0, 1e999]', "end after"),
        ('"replaces": 4', "text in quotes"),
    ],
)
def test_a_wrong_value_is_named(three: VoiceFolder, field: str, says: str) -> None:
    with three.manifest.open("a") as file:
        file.write(f'{{"audio_path": "wavs/9.wav", "text": "a", {field}}}\n')
    with pytest.raises(ManifestError, match=says):
        read_manifest(three)


def test_a_trim_is_read_back_and_cuts_what_is_loaded_and_never_the_file(three: VoiceFolder) -> None:
    whole = load_audio(three.wavs / "0001.wav")
    before = (three.wavs / "0001.wav").read_bytes()
    utterance = revise_utterance(three, "wavs/0001.wav", trim=(0.25, 0.75))
    assert read_manifest(three).utterances[0] == utterance
    kept = load_recording(recording_of(three, utterance))
    assert np.array_equal(kept, whole[SAMPLE_RATE // 4 : SAMPLE_RATE * 3 // 4])
    assert (three.wavs / "0001.wav").read_bytes() == before
    assert json.loads(three.manifest.read_text().splitlines()[-1])["trim"] == [0.25, 0.75]


def test_a_trim_that_leaves_nothing_is_an_error_with_its_mend(three: VoiceFolder) -> None:
    with pytest.raises(AudioError, match="leaves nothing"):
        load_recording(Recording(three.wavs / "0001.wav", (5.0, 6.0)))
    revise_utterance(three, "wavs/0001.wav", trim=(5.0, 6.0))
    assert [problem.kind for problem in check_voice(three)] == ["unreadable-audio"]


def test_the_check_measures_the_part_that_counts(tmp_path: Path) -> None:
    voice = VoiceFolder(tmp_path / "long")
    write_wav(voice.wavs / "a.wav", murmur(31.0))
    append_utterances(voice, [Utterance("wavs/a.wav", "a long story that goes on and on, with many more words")])
    assert "over-30-seconds" in [problem.kind for problem in check_voice(voice)]
    revise_utterance(voice, "wavs/a.wav", trim=(0.0, 4.0))
    assert check_voice(voice) == []


def test_importing_a_voice_brings_the_excluded_as_excluded(three: VoiceFolder, tmp_path: Path) -> None:
    revise_utterance(three, "wavs/0002.wav", excluded=True)
    copy = VoiceFolder(tmp_path / "copy")
    import_recordings(str(three.path), copy)
    assert [utterance.excluded for utterance in read_manifest(copy).everything] == [False, True, False]


def test_importing_a_replacement_excludes_nothing_of_the_voice_it_comes_into(
    three: VoiceFolder, tmp_path: Path
) -> None:
    write_wav(three.wavs / "0004.wav", murmur(0.9, seed=9))
    append_utterances(three, [Utterance("wavs/0004.wav", "better", replaces="wavs/0001.wav")])
    other = VoiceFolder(tmp_path / "other")
    write_wav(other.wavs / "0001.wav", murmur(0.9, seed=20))
    append_utterances(other, [Utterance("wavs/0001.wav", "of another person")])
    import_recordings(str(three.path), other)
    excluded = [utterance.text for utterance in read_manifest(other).everything if utterance.excluded]
    assert excluded == [read_manifest(three).everything[0].text]


def test_a_manifest_from_before_reads_as_it_did(three: VoiceFolder) -> None:
    assert [utterance.excluded for _, utterance in scan_manifest(three).lines] == [False] * 3
    assert [utterance.trim for utterance in read_manifest(three).utterances] == [None] * 3
