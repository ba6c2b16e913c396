"""A person finds recordings again, and a finding comes with what a click can do about it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ownvoice.data.audio import write_wav
from ownvoice.data.check import check_voice
from ownvoice.data.listing import Share, list_utterances
from ownvoice.data.manifest import append_utterances, revise_utterance
from ownvoice.data.mends import Finding, find_mends
from ownvoice.data.utterance import Utterance
from ownvoice.rundir import VoiceFolder
from small_voxtral import murmur
from voices import make_voice


def add(voice: VoiceFolder, name: str, text: str, *, before: float = 0, after: float = 0) -> None:
    """A recording of 0.9 s of speech between digital silence."""
    silence = [np.zeros(round(seconds * 16000), np.float32) for seconds in (before, after)]
    write_wav(voice.path / name, np.concatenate([silence[0], murmur(0.9, seed=99), silence[1]]))
    append_utterances(voice, [Utterance(name, text)])


def findings(voice: VoiceFolder, kind: str) -> list[Finding]:
    return [finding for finding in find_mends(voice) if finding.problem.kind == kind]


def test_pages_search_and_minutes(tmp_path: Path) -> None:
    voice = make_voice(tmp_path / "anna", 12)
    add(voice, "wavs/last.wav", "Où est le café?")
    revise_utterance(voice, "wavs/0003.wav", excluded=True)
    first = list_utterances(voice, limit=5)
    assert [row.audio_path for row in first.rows][:2] == ["wavs/last.wav", "wavs/0012.wav"]
    assert (first.total, len(first.rows)) == (13, 5)
    assert (first.used.utterances, first.excluded) == (12, Share(1, 0.9))
    assert first.used.seconds == pytest.approx(12 * 0.9)
    assert [row.audio_path for row in list_utterances(voice, offset=12).rows] == ["wavs/0001.wav"]
    assert [row.audio_path for row in list_utterances(voice, query="CAFE ou").rows] == ["wavs/last.wav"]
    assert [row.audio_path for row in list_utterances(voice, status="excluded").rows] == ["wavs/0003.wav"]
    assert list_utterances(voice, query="cafe", status="excluded").total == 0
    assert list_utterances(VoiceFolder(tmp_path / "nobody")).total == 0


def test_silence_at_the_ends_is_found_and_one_click_cuts_it_off(tmp_path: Path) -> None:
    voice = make_voice(tmp_path / "anna", 2)
    add(voice, "wavs/long.wav", "good morning", before=3.0, after=1.0)
    [finding] = findings(voice, "long-silence")
    assert finding.utterance is not None
    [mend] = finding.mends
    start, end = mend.changes["trim"]
    assert (start, end) == (pytest.approx(2.6, abs=0.05), pytest.approx(4.3, abs=0.05))
    revise_utterance(voice, "wavs/long.wav", **mend.changes)
    assert findings(voice, "long-silence") == []


def test_marks_in_a_text_are_taken_away_by_one_click(tmp_path: Path) -> None:
    voice = make_voice(tmp_path / "anna", 2)
    add(voice, "wavs/laugh.wav", "good [laughter] morning")
    [finding] = findings(voice, "non-speech-text")
    assert [(mend.kind, dict(mend.changes)) for mend in finding.mends] == [
        ("text", {"text": "good morning"}),
        ("edit", {}),
        ("exclude", {"excluded": True}),
    ]


def test_one_of_two_equal_recordings_is_excluded_by_one_click(tmp_path: Path) -> None:
    voice = make_voice(tmp_path / "anna", 2)
    add(voice, "wavs/one.wav", "good morning")
    add(voice, "wavs/two.wav", "good evening")
    [finding] = findings(voice, "duplicate-audio")
    assert finding.utterance is not None
    assert finding.utterance.audio_path == "wavs/two.wav"
    revise_utterance(voice, "wavs/two.wav", **finding.mends[0].changes)
    assert check_voice(voice) == []


def test_a_broken_line_is_told_and_the_others_are_listed(tmp_path: Path) -> None:
    voice = make_voice(tmp_path / "anna", 2)
    with voice.manifest.open("a") as manifest:
        manifest.write("{broken\n")
    assert list_utterances(voice).total == 2
    [finding] = findings(voice, "bad-line")
    assert (finding.utterance, finding.mends) == (None, ())
