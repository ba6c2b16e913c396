"""The voices in one folder: how much each holds, when it was last used, and deleting one so that it can be undone.

A deleted voice is moved whole into ``.trash`` beside the others, and is gone only when that is asked for by name. What
is in a voice is told in ``manifest.py``.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ownvoice.data.manifest import ManifestScan, scan_manifest
from ownvoice.data.recording import unnamed_recordings
from ownvoice.data.utterance import Utterance
from ownvoice.data.voice_settings import read_voice_settings
from ownvoice.errors import DataError, OwnvoiceError, storage_faults
from ownvoice.rundir import VoiceFolder, make_folder, sync_folder

TRASH = ".trash"
"""Folder of deleted voices, beside the others; no voice's name begins with a dot."""

_KEY = re.compile(r"(\d{8}-\d{6})-([^/\\]+)")


@dataclass(frozen=True)
class VoiceSummary:
    """One voice, as the start page tells of it."""

    name: str
    language: str | None
    utterances: int
    """Recordings that count: none of those set aside."""
    seconds: float
    """Length of these."""
    last: datetime | None
    """When something was last recorded, brought in or changed; None for an empty voice."""
    fault: str | None = None
    """Why it cannot be read, in words."""
    unlisted: int = 0
    """Recordings beside ``utterances``: files that no line names; where there are none, lines that cannot be read."""


@dataclass(frozen=True)
class TrashedVoice:
    """A deleted voice."""

    key: str
    """Its folder in the trash."""
    name: str
    deleted: datetime


def list_voices(folder: Path) -> list[VoiceSummary]:
    """Every voice in ``folder``, the one last used first."""
    if not folder.is_dir():
        return []
    paths = [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()]
    voices = [summarise(VoiceFolder(path)) for path in paths if not path.name.startswith(".")]
    return sorted(
        voices, key=lambda voice: (voice.last is None, -voice.last.timestamp() if voice.last else 0, voice.name)
    )


def summarise(voice: VoiceFolder) -> VoiceSummary:
    """What one voice holds; one that cannot be read says so in ``fault``."""
    name = voice.path.name
    try:
        language = read_voice_settings(voice).language
        scan = scan_manifest(voice) if voice.manifest.is_file() else ManifestScan([], [], [])
    except OwnvoiceError as error:
        return VoiceSummary(name, None, 0, 0.0, None, str(error))
    used = [path.stat().st_mtime for path in (voice.manifest, voice.settings) if path.is_file()]
    last = datetime.fromtimestamp(used[0], UTC) if used else None
    unnamed = unnamed_recordings(voice, (utterance for _, utterance in scan.everything))
    return VoiceSummary(
        name,
        language,
        len(scan.lines),
        sum(counted_seconds(row) for _, row in scan.lines),
        last,
        unlisted=len(unnamed) or len(scan.faults),
    )


def counted_seconds(utterance: Utterance) -> float:
    """Seconds of the part of a recording that counts; 0 where its length was never written down."""
    if utterance.trim is None:
        return utterance.duration or 0.0
    start, end = utterance.trim
    return max(0.0, min(end, utterance.duration or end) - start)


def trash_voice(folder: Path, name: str) -> TrashedVoice:
    """Move the voice ``name`` into the trash; :func:`restore_voice` brings it back.

    Raises
    ------
    DataError
        when there is no such voice.
    StorageError
        when it cannot be moved.
    """
    source = folder / name
    if not name or Path(name).name != name or name.startswith(".") or source.is_symlink() or not source.is_dir():
        raise DataError(f"there is no voice called {name!r} here", mend="Reload the page.")
    trash = folder / TRASH
    with storage_faults(trash):
        make_folder(trash)
        trashed = _new_key(trash, name)
        _move(source, trash / trashed.key)
    return trashed


def list_trash(folder: Path) -> list[TrashedVoice]:
    """Every deleted voice that can be brought back, the last deleted first."""
    trash = folder / TRASH
    keys = sorted((path.name for path in trash.iterdir() if path.is_dir()), reverse=True) if trash.is_dir() else []
    return [_trashed(match) for key in keys if (match := _KEY.fullmatch(key))]


def restore_voice(folder: Path, key: str) -> str:
    """Bring a deleted voice back and return its name: the old one, with a number where that is taken by now.

    Raises
    ------
    DataError
        when there is no such voice in the trash.
    StorageError
        when it cannot be moved.
    """
    trashed = _find_trashed(folder, key)
    name, number = trashed.name, 2
    while (folder / name).exists():
        name, number = f"{trashed.name}-{number}", number + 1
    with storage_faults(folder):
        _move(folder / TRASH / key, folder / name)
    return name


def purge_voice(folder: Path, key: str) -> None:
    """Delete a voice in the trash for good.

    Raises
    ------
    DataError
        when there is no such voice in the trash.
    StorageError
        when a file of it cannot be deleted.
    """
    _find_trashed(folder, key)
    with storage_faults(folder / TRASH):
        shutil.rmtree(folder / TRASH / key)


def _new_key(trash: Path, name: str) -> TrashedVoice:
    """A place in the trash that is free: another voice of this name may have come there in this second."""
    stamp = datetime.now(UTC).replace(microsecond=0)
    while (trash / (key := f"{stamp:%Y%m%d-%H%M%S}-{name}")).exists():
        stamp += timedelta(seconds=1)
    return TrashedVoice(key, name, stamp)


def _move(source: Path, target: Path) -> None:
    """Lasting in the new place before it is gone from the old: a power cut leaves it in one of them at least."""
    source.rename(target)
    sync_folder(target.parent)
    sync_folder(source.parent)


def _find_trashed(folder: Path, key: str) -> TrashedVoice:
    for trashed in list_trash(folder):
        if trashed.key == key:
            return trashed
    raise DataError("this voice is not in the trash any more", mend="Reload the page.")


def _trashed(match: re.Match[str]) -> TrashedVoice:
    deleted = datetime.strptime(match[1], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    return TrashedVoice(match[0], match[2], deleted)
