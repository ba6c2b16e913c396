"""Disks that are full or read-only: what was saved stays, and the command can be given again."""

from __future__ import annotations

import subprocess
from pathlib import Path

import soundfile
from bad_place import digests, run

from ownvoice.data.manifest import read_manifest
from ownvoice.rundir import VoiceFolder
from small_voxtral import murmur
from voices import make_voice


def speech_folder(folder: Path, clips: int) -> Path:
    folder.mkdir()
    for number in range(clips):
        soundfile.write(folder / f"{number}.wav", murmur(1.5, seed=number), 16000)
        (folder / f"{number}.txt").write_text(f"phrase {number}")
    return folder


def test_full_disk_keeps_what_was_saved_and_importing_goes_on_later(small_disk: Path, tmp_path: Path) -> None:
    source = speech_folder(tmp_path / "in", 12)  # 12 of 48 kB do not go into 256 kB
    voice = VoiceFolder(small_disk / "voice")
    done = run(["import", str(source), str(voice.path)])
    assert done.exit_code == 1
    assert "the disk is full" in done.output
    saved = digests(voice.wavs)
    kept = read_manifest(voice).utterances
    assert 0 < len(kept) < 12
    assert all((voice.path / utterance.audio_path).is_file() for utterance in kept)

    again = run(["import", str(source), str(voice.path)])
    assert again.exit_code == 1
    assert read_manifest(voice).utterances[: len(kept)] == kept
    still = digests(voice.wavs)
    assert all(still[name] == digest for name, digest in saved.items() if name.endswith(".wav"))

    subprocess.run(["mount", "-o", "remount,size=2m", small_disk], check=True)
    assert run(["import", str(source), str(voice.path)]).exit_code == 0
    assert len(read_manifest(voice).utterances) == 12


def test_read_only_disk_is_named_and_left_alone(small_disk: Path, tmp_path: Path) -> None:
    voice = make_voice(small_disk / "voice", 2)
    before = digests(small_disk)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    done = run(["import", str(speech_folder(tmp_path / "in", 1)), str(voice.path)])
    assert done.exit_code == 1
    assert "read-only" in done.output
    assert digests(small_disk) == before
