"""What was said to be saved outlives a power cut: its content, its name, and each folder on the way to it are synced.

Nobody can pull the plug in a test. What the system forces to the disk is watched instead, and what would be left is
told from that alone, as strictly as POSIX allows a file system to be.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ownvoice.config import TrainingSettings, VoiceSettings
from ownvoice.data.importers import import_recordings
from ownvoice.data.manifest import revise_utterance
from ownvoice.data.new_voice import create_voice
from ownvoice.data.phrase_marks import mark_phrase
from ownvoice.data.phrases.own import add_own_phrases
from ownvoice.data.phrases.own_text import phrases_from_text
from ownvoice.data.shelf import restore_voice, trash_voice
from ownvoice.data.take_folder import new_take
from ownvoice.data.takes import Takes
from ownvoice.data.upload_words import write_words
from ownvoice.data.uploads import announce_files, start_upload, store_piece
from ownvoice.rundir import VoiceFolder
from sources import put, record


class Disk:
    """What is on the disk for good: the entries of folders and the contents of files when they were last synced."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._root = root
        self._entries: dict[int, dict[str, int]] = {}
        self._contents: dict[int, str] = {}
        self._sync = os.fsync
        monkeypatch.setattr(os, "fsync", self._synced)

    def _synced(self, descriptor: int) -> None:
        self._sync(descriptor)
        status = os.fstat(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}")
        if stat.S_ISDIR(status.st_mode):
            self._entries[status.st_ino] = {entry.name: entry.stat().st_ino for entry in path.iterdir()}
        else:
            self._contents[status.st_ino] = digest(path)

    def holds(self, path: Path) -> bool:
        """Whether ``path`` would be there after a power cut now, as it is."""
        here, inode = self._root, self._root.stat().st_ino
        for name in path.relative_to(self._root).parts:
            here /= name
            inode = self._entries.get(inode, {}).get(name, -1)
            if inode != here.stat().st_ino:
                return False
        return path.is_dir() or self._contents.get(inode, hashlib.sha256().hexdigest()) == digest(path)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("only where a descriptor tells its file")
    return Disk(tmp_path, monkeypatch)


def make(folder: Path) -> list[Path]:
    voice = create_voice(folder / "voices", "Anna", VoiceSettings())
    return [voice.manifest, voice.settings]


def read_aloud(folder: Path) -> list[Path]:
    takes = Takes(VoiceFolder(folder / "voices" / "Anna"))
    sound = np.random.default_rng(0).normal(0, 3000, 16000).astype("<i2").tobytes()
    kept, unfinished = new_take("I want tea", 16000), new_take("and cake", 16000)
    for take in (kept, unfinished):
        takes.start(take)
        takes.append(take.id, 0, sound)
    saved = takes.finish(kept.id)
    spoken = takes.voice.takes / unfinished.id
    return [takes.voice.manifest, takes.voice.path / saved.audio_path, spoken / "take.json", spoken / "audio.wav"]


def bring_in(folder: Path) -> list[Path]:
    voice = VoiceFolder(folder / "voices" / "Anna")
    record(folder / "a.wav", 1)
    data = (folder / "a.wav").read_bytes()
    upload = start_upload(voice)
    announce_files(upload, [("a.wav", len(data)), ("b.wav", len(data))])
    store_piece(upload, 1, 0, data)
    store_piece(upload, 2, 0, data[:1000])
    write_words(upload, 1, "typed with one finger")
    return [upload.log, upload.wav(1), upload.part(2)]


def import_(folder: Path) -> list[Path]:
    record(folder / "in" / "a.wav", 1)
    put(folder / "in" / "a.txt", "good morning")
    voice = VoiceFolder(folder / "new" / "voices" / "Anna")
    added = import_recordings(str(folder / "in"), voice, language="en").added
    return [voice.manifest, voice.settings, *(voice.path / utterance.audio_path for utterance in added)]


def correct(folder: Path) -> list[Path]:
    made = import_(folder)
    revise_utterance(VoiceFolder(made[0].parent), "wavs/0001.wav", text="good evening")
    return made


def write_phrases(folder: Path) -> list[Path]:
    voice = VoiceFolder(folder / "voices" / "Anna")
    add_own_phrases(voice, phrases_from_text("I want tea. The garden is wet."))
    mark_phrase(voice, "en-1", "too_hard")
    return [voice.own_phrases, voice.phrase_marks]


def begin_a_run(folder: Path) -> list[Path]:
    run = VoiceFolder(folder / "voices" / "Anna").new_run()
    TrainingSettings().save(run.config)
    return [run.config]


def delete(folder: Path) -> list[Path]:
    voice = Path(import_(folder)[0]).parent
    return [voice.parent / ".trash" / trash_voice(voice.parent, "Anna").key]


def bring_back(folder: Path) -> list[Path]:
    trashed = delete(folder)[0]
    restore_voice(trashed.parent.parent, trashed.name)
    return [trashed.parent.parent / "Anna"]


@pytest.mark.parametrize(
    "does",
    [make, read_aloud, bring_in, import_, correct, write_phrases, begin_a_run, delete, bring_back],
    ids=lambda does: does.__name__,
)
def test_what_was_said_to_be_saved_is_there_after_a_power_cut(
    tmp_path: Path, disk: Disk, does: Callable[[Path], list[Path]]
) -> None:
    promised = does(tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in promised if not disk.holds(path)] == []


def test_the_watch_would_have_told(tmp_path: Path, disk: Disk) -> None:
    (tmp_path / "folder").mkdir()
    file = tmp_path / "folder" / "file"
    file.write_text("words")
    assert not disk.holds(file)
    for path in (file, file.parent, tmp_path):
        assert not disk.holds(file)
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    assert disk.holds(file)
    file.write_text("others")
    assert not disk.holds(file)
