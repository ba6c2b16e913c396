"""Voices are listed with what they hold, and a deleted one comes back whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from ownvoice.config import VoiceSettings
from ownvoice.data.manifest import read_manifest, revise_utterance
from ownvoice.data.new_voice import create_voice
from ownvoice.data.shelf import list_trash, list_voices, purge_voice, restore_voice, trash_voice
from ownvoice.errors import DataError
from voices import make_voice


def test_voices_are_told_with_their_minutes_and_last_day(tmp_path: Path) -> None:
    voice = make_voice(tmp_path / "anna", 3)
    for number, changes in enumerate(({"duration": 4.0}, {"duration": 9.0, "excluded": True}, {"trim": (0.5, 2.5)})):
        revise_utterance(voice, f"wavs/{number + 1:04}.wav", **changes)
    (tmp_path / "new").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "voice.yaml").write_text("language: nobody's\n")
    anna, broken, new = list_voices(tmp_path)
    assert (anna.name, anna.utterances, anna.seconds, anna.language) == ("anna", 2, 6.0, "en")
    assert anna.last is not None
    assert (new.name, new.utterances, new.last) == ("new", 0, None)
    assert broken.fault is not None
    assert list_voices(tmp_path / "nowhere") == []


def test_a_deleted_voice_comes_back_whole(tmp_path: Path) -> None:
    voice = make_voice(tmp_path / "anna", 2)
    before = read_manifest(voice)
    trashed = trash_voice(tmp_path, "anna")
    assert list_voices(tmp_path) == []
    assert list_trash(tmp_path) == [trashed]
    assert restore_voice(tmp_path, trashed.key) == "anna"
    assert read_manifest(voice) == before
    assert list_trash(tmp_path) == []


def test_bringing_back_overwrites_nothing(tmp_path: Path) -> None:
    make_voice(tmp_path / "anna", 2)
    trashed = trash_voice(tmp_path, "anna")
    make_voice(tmp_path / "anna", 1)
    assert restore_voice(tmp_path, trashed.key) == "anna-2"
    assert {voice.name: voice.utterances for voice in list_voices(tmp_path)} == {"anna": 1, "anna-2": 2}


def test_voices_of_one_name_deleted_in_one_second_all_come_back(tmp_path: Path) -> None:
    name = "\N{MICROPHONE}" * 50  # the longest there may be
    for number in range(3):
        voice = create_voice(tmp_path, name, VoiceSettings())
        (voice.path / "which").write_text(str(number))
        trash_voice(tmp_path, name)
    keys = [trashed.key for trashed in list_trash(tmp_path)]
    back = [restore_voice(tmp_path, key) for key in keys]
    assert sorted((tmp_path / voice / "which").read_text() for voice in back) == ["0", "1", "2"]


def test_only_what_is_in_the_trash_can_be_deleted_for_good(tmp_path: Path) -> None:
    make_voice(tmp_path / "anna", 1)
    make_voice(tmp_path / "bert", 1)
    trashed = trash_voice(tmp_path, "anna")
    for key in ("anna", "bert", "../bert", "..", "", trashed.key + "/wavs"):
        with pytest.raises(DataError, match="not in the trash"):
            purge_voice(tmp_path, key)
    for name in ("nobody", "../bert", "..", ".trash", ""):
        with pytest.raises(DataError, match="no voice called"):
            trash_voice(tmp_path, name)
    purge_voice(tmp_path, trashed.key)
    assert list_trash(tmp_path) == []
    assert [voice.name for voice in list_voices(tmp_path)] == ["bert"]
