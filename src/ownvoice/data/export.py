"""A voice's recordings for other programs: a folder or zip of data.jsonl, voice.yaml and wavs/, as training uses them.

What is set aside stays out, trimmed recordings are cut, and each utterance has one line with what counts today. A zip
is made while it is sent, so it takes neither memory nor disk. ``ownvoice import`` reads both.
"""

from __future__ import annotations

import io
import os
import posixpath
import shutil
import tempfile
import wave
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ownvoice.data.audio import SAMPLE_RATE, Samples, to_pcm16
from ownvoice.data.manifest import read_manifest
from ownvoice.data.recording import Recording, load_recording, recording_of
from ownvoice.data.shelf import counted_seconds
from ownvoice.data.utterance import Utterance
from ownvoice.errors import AudioError, TooLittleDataError, storage_faults
from ownvoice.rundir import VoiceFolder, sync_folder

_BLOCK = 1 << 20
_NAMED = 10
"""How many of the recordings that are missing an error names."""


@dataclass(frozen=True)
class ExportedFile:
    """One file of an export."""

    name: str
    """Its path in the export, with ``/``."""
    content: bytes | Recording


def export_files(voice: VoiceFolder) -> list[ExportedFile]:
    """Every file of an export of ``voice``, its table first. Opens no sound.

    Raises
    ------
    DataError
        when this is no voice folder.
    ManifestError
        when its table cannot be trusted.
    AudioError
        naming recordings that are missing.
    TooLittleDataError
        when there is nothing to export.
    """
    utterances = read_manifest(voice).utterances
    if not utterances:
        raise TooLittleDataError("there is no recording to export", mend="Record or restore some first.")
    recordings = [recording_of(voice, utterance) for utterance in utterances]
    missing = [recording.path.name for recording in recordings if not recording.path.is_file()]
    if missing:
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        raise AudioError(
            f"recordings are missing: {', '.join(missing[:_NAMED])}{more}",
            where=voice.wavs,
            mend="Put these files back, or exclude these recordings.",
        )
    sounds: dict[str, Recording] = {}
    lines = []
    for utterance, recording in zip(utterances, recordings, strict=True):
        name = _name(utterance.audio_path, recording, sounds)
        sounds[name] = recording
        lines.append(_plain(utterance, name).to_line() + "\n")
    files = [ExportedFile(voice.manifest.name, "".join(lines).encode())]
    if voice.settings.is_file():
        files.append(ExportedFile(voice.settings.name, voice.settings.read_bytes()))
    return files + [ExportedFile(name, recording) for name, recording in sounds.items()]


def export_folder(voice: VoiceFolder) -> Path:
    """Write an export into a new folder under ``VOICE/exports/``, named after the time (UTC), and return it.

    Raises
    ------
    DataError
        as :func:`export_files`.
    AudioError
        when a recording that must be cut cannot be read.
    StorageError
        when the disk is full or the folder cannot be written; there is then no such folder.
    """
    files = export_files(voice)
    with storage_faults(voice.exports):
        voice.exports.mkdir(mode=0o700, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=voice.exports, prefix=".unfinished-"))
        try:
            for file in files:
                _write(unfinished / file.name, file.content)
            return _settle(voice, unfinished)
        except BaseException:
            shutil.rmtree(unfinished)
            raise


def stream_zip(voice: VoiceFolder) -> Iterator[bytes]:
    """The pieces of a zip that holds an export in one folder. What can be refused is refused before the first.

    Raises
    ------
    DataError
        as :func:`export_files`.
    AudioError
        on the way, when a recording that must be cut cannot be read: the zip then ends without its directory.
    """
    files = export_files(voice)
    return _zip_pieces(files, voice.path.name)


def wav_bytes(samples: Samples) -> bytes:
    """A WAV file, 16 kHz mono PCM16, of samples of shape (samples,)."""
    buffer = io.BytesIO()
    with closing(wave.open(buffer, "wb")) as wav:
        wav.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        wav.writeframes(to_pcm16(samples).tobytes())
    return buffer.getvalue()


class _Outbox(io.RawIOBase):
    """Where the zip writer puts what is to be sent next."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._waiting += data
        return len(data)

    def take(self) -> bytes:
        sent, self._waiting = bytes(self._waiting), bytearray()
        return sent


def _zip_pieces(files: list[ExportedFile], folder: str) -> Iterator[bytes]:
    outbox = _Outbox()
    with zipfile.ZipFile(outbox, "w", zipfile.ZIP_STORED) as archive:
        for file in files:
            member = zipfile.ZipInfo(f"{folder}/{file.name}", datetime.now(UTC).timetuple()[:6])
            member.external_attr = 0o600 << 16
            with archive.open(member, "w") as target:
                for block in _blocks(file.content):
                    target.write(block)
                    yield outbox.take()
    yield outbox.take()


def _blocks(content: bytes | Recording) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
    elif content.trim is not None:
        yield wav_bytes(load_recording(content))
    else:
        with content.path.open("rb") as file:
            yield from iter(lambda: file.read(_BLOCK), b"")


def _write(path: Path, content: bytes | Recording) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for block in _blocks(content):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())


def _settle(voice: VoiceFolder, unfinished: Path) -> Path:
    """Give a finished export its name, one that no other has."""
    stamp, number = datetime.now(UTC).strftime("%Y%m%d-%H%M%S"), 1
    while (target := voice.exports / (stamp if number == 1 else f"{stamp}-{number}")).exists():
        number += 1
    unfinished.rename(target)
    sync_folder(voice.exports)
    return target


def _name(path: str, recording: Recording, taken: dict[str, Recording]) -> str:
    """The file's own name, or one with a number where another part of the same recording has it."""
    stem, suffix = posixpath.splitext(path)
    name, number = path, 2
    while taken.get(name, recording) != recording:
        name, number = f"{stem}-{number}{suffix}", number + 1
    return name


def _plain(utterance: Utterance, name: str) -> Utterance:
    """The utterance as one line by itself: what earlier lines said and what was cut away no longer matters."""
    seconds = utterance.duration and round(counted_seconds(utterance), 3)
    return replace(utterance, audio_path=name, duration=seconds, trim=None, replaces=None, edited=None)
