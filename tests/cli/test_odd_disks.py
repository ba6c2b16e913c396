"""Disks that can do less than others, or fail: memory sticks, network folders, a disk that is about to die."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from bad_place import digests, run
from test_bad_disks import speech_folder

from ownvoice.data.manifest import read_manifest
from ownvoice.rundir import VoiceFolder


def refuse(number: int) -> Callable[..., None]:
    def refused(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return refused


def test_a_stick_that_knows_no_modes_and_syncs_no_folders_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = os.fsync

    def sync_of_files_alone(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", sync_of_files_alone)
    monkeypatch.setattr(os, "chmod", refuse(errno.EPERM))
    monkeypatch.setattr(os, "fchmod", refuse(errno.EPERM))
    voice = VoiceFolder(tmp_path / "voices" / "me")
    done = run(["import", str(speech_folder(tmp_path / "in", 3)), str(voice.path)])
    assert done.exit_code == 0, done.output
    assert len(read_manifest(voice).utterances) == 3


def test_a_folder_that_cannot_be_locked_is_named_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = speech_folder(tmp_path / "in", 1)
    monkeypatch.setattr(fcntl, "flock", refuse(errno.ENOLCK))
    done = run(["import", str(source), str(tmp_path / "voice")])
    assert done.exit_code == 1
    assert "cannot keep two programs from writing at once" in done.output
    assert "a disk of this computer" in done.output
    assert not (tmp_path / "voice").exists()


@pytest.mark.parametrize(("number", "says"), [(errno.EIO, "reports a fault"), (errno.ESTALE, "not there any more")])
@pytest.mark.parametrize("before", range(1, 19))
def test_a_disk_that_fails_loses_nothing_that_was_saved_and_importing_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int, number: int, says: str
) -> None:
    source, voice = speech_folder(tmp_path / "in", 4), VoiceFolder(tmp_path / "voice")
    sync, left = os.fsync, before

    def failing(descriptor: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(number, os.strerror(number))
        sync(descriptor)

    with monkeypatch.context() as failing_disk:
        failing_disk.setattr(os, "fsync", failing)
        done = run(["import", str(source), str(voice.path)])
    assert done.exit_code == 1
    assert says in done.output
    kept = read_manifest(voice).utterances if voice.manifest.exists() else []
    saved = {name: digest for name, digest in digests(voice.path).items() if name.endswith(".wav")}
    assert len(kept) < 4
    assert {utterance.audio_path for utterance in kept} <= saved.keys()

    assert run(["import", str(source), str(voice.path)]).exit_code == 0
    assert len(read_manifest(voice).utterances) == 4
    assert saved.items() <= digests(voice.path).items()
