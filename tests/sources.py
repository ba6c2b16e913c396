"""Builds things to import for tests: real sound files, each with sound of its own, and the tables that name them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ownvoice.data.importers import ImportResult, import_recordings
from ownvoice.data.manifest import read_manifest
from ownvoice.errors import SourceError
from ownvoice.rundir import VoiceFolder


def record(path: Path, seed: int = 0, *, rate: int = 16000, seconds: float = 0.3) -> Path:
    """Write a sound that no other seed has, in the format of the file's ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).uniform(-0.3, 0.3, int(rate * seconds)).astype(np.float32)
    soundfile.write(path, noise, rate)
    return path


def put(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def pack(folder: Path, archive: Path, *, below: str = "") -> Path:
    """Zip ``folder``, each name starting with ``below``."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                file.write(path, below + path.relative_to(folder).as_posix())
    return archive


def bring(source: Path | str, voice: VoiceFolder, **options: str) -> ImportResult:
    """Import, and check what must hold after every import: each line has its own readable recording."""
    result = import_recordings(str(source), voice, **options)  # type: ignore[arg-type]
    utterances = read_manifest(voice).utterances
    paths = [utterance.audio_path for utterance in utterances]
    assert len(set(paths)) == len(paths)
    for path in paths:
        info = soundfile.info(voice.path / path)
        assert (info.samplerate, info.channels, info.subtype) == (16000, 1, "PCM_16")
    assert utterances[len(utterances) - len(result.added) :] == result.added
    return result


def texts(result: ImportResult) -> list[str]:
    return [utterance.text for utterance in result.added]


def reasons(result: ImportResult) -> dict[str, str]:
    """Why each thing was left out, by its name."""
    named = {clip.name: clip.reason for clip in result.left_out}
    assert len(named) == len(result.left_out)
    return named


def refused(source: Path | str, voice: VoiceFolder, match: str, **options: str) -> str:
    """Import must fail with a SourceError that says ``match``, and leave the voice as it was, or not there."""
    before = {path: path.read_bytes() for path in voice.path.rglob("*") if path.is_file()}
    with pytest.raises(SourceError, match=match) as caught:
        import_recordings(str(source), voice, **options)  # type: ignore[arg-type]
    assert {path: path.read_bytes() for path in voice.path.rglob("*") if path.is_file()} == before
    assert voice.path.exists() == bool(before)
    return str(caught.value)
