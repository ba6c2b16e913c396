"""What is exported is what training uses, and comes back in by import."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from ownvoice.data.audio import load_audio
from ownvoice.data.check import check_voice
from ownvoice.data.export import export_folder, stream_zip
from ownvoice.data.importers import import_recordings
from ownvoice.data.manifest import append_utterances, read_manifest, revise_utterance
from ownvoice.data.recording import load_recording, recording_of
from ownvoice.data.utterance import Utterance
from ownvoice.data.voice_settings import read_voice_settings
from ownvoice.errors import AudioError, TooLittleDataError
from ownvoice.rundir import VoiceFolder
from voices import make_voice


@pytest.fixture
def anna(tmp_path: Path) -> VoiceFolder:
    """Four recordings: one corrected and trimmed, one set aside, one that is another part of a file."""
    voice = make_voice(tmp_path / "anna", 3, language="fr")
    revise_utterance(voice, "wavs/0001.wav", text="Corrigé", trim=(0.2, 0.7))
    revise_utterance(voice, "wavs/0002.wav", excluded=True)
    append_utterances(voice, [Utterance("wavs/0001.wav", "autre", id="rest", trim=(0.7, 0.9), duration=0.9)])
    return voice


def assert_same(voice: VoiceFolder, copy: VoiceFolder) -> None:
    kept, brought = read_manifest(voice).utterances, read_manifest(copy).utterances
    assert [row.text for row in brought] == [row.text for row in kept]
    for one, other in zip(kept, brought, strict=True):
        assert np.array_equal(load_recording(recording_of(voice, one)), load_audio(copy.path / other.audio_path))
    assert read_voice_settings(copy) == read_voice_settings(voice)


def test_zip_comes_back_in_by_import(tmp_path: Path, anna: VoiceFolder) -> None:
    path = tmp_path / "anna.zip"
    path.write_bytes(b"".join(stream_zip(anna)))
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            f"anna/{name}" for name in ("data.jsonl", "voice.yaml", "wavs/0001.wav", "wavs/0003.wav", "wavs/0001-2.wav")
        ]
    copy = VoiceFolder(tmp_path / "copy")
    assert import_recordings(str(path), copy).failed == []
    assert_same(anna, copy)


def test_folder_is_a_voice_by_itself_in_the_persons_own(anna: VoiceFolder) -> None:
    folder = export_folder(anna)
    assert folder.parent == anna.exports
    assert_same(anna, VoiceFolder(folder))
    assert [problem for problem in check_voice(VoiceFolder(folder)) if problem.severity == "error"] == []
    assert export_folder(anna) != folder
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "data.jsonl").stat().st_mode & 0o777 == 0o600


def test_missing_recordings_are_named_and_nothing_is_written(anna: VoiceFolder) -> None:
    (anna.wavs / "0003.wav").unlink()
    with pytest.raises(AudioError, match=r"0003\.wav"):
        stream_zip(anna)
    with pytest.raises(AudioError, match=r"0003\.wav"):
        export_folder(anna)
    assert not anna.exports.exists() or list(anna.exports.iterdir()) == []


def test_nothing_to_export_is_said(tmp_path: Path) -> None:
    voice = make_voice(tmp_path / "anna", 1)
    revise_utterance(voice, "wavs/0001.wav", excluded=True)
    with pytest.raises(TooLittleDataError, match="no recording"):
        stream_zip(voice)
