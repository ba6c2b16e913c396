"""Makes a voice: an empty folder of its own with its settings, ready to be recorded into."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from ownvoice.config import VoiceSettings
from ownvoice.data.voice_settings import write_voice_settings
from ownvoice.errors import DataError, storage_faults
from ownvoice.rundir import VoiceFolder, make_folder, sync_folder

MAX_NAME = 60
"""Characters of a voice's name: it is a folder's name too, on any system."""

MAX_BYTES = 200
"""Bytes of it: in the trash its name has the time before it, and a file system takes 255 in all."""

_NOT_IN_NAMES = set('/\\:*?"<>|')


class NameTakenError(DataError):
    """There is a voice of this name already."""


def create_voice(voices: Path, name: str, settings: VoiceSettings) -> VoiceFolder:
    """Make the voice ``name`` in the folder ``voices``, which is made where it is missing. Only its owner can read it.

    Raises
    ------
    NameTakenError
        when there is one, or a file of that name.
    DataError
        when the name cannot be a folder's.
    StorageError
        when the disk is full or the folder cannot be written.
    """
    voice = VoiceFolder(voices / _folder_name(name))
    with storage_faults(voice.path):
        make_folder(voices)
        try:
            voice.path.mkdir(mode=0o700)
        except FileExistsError:
            mend = "Choose another name, or go on with the one that is there."
            raise NameTakenError(f"there is already a voice called {voice.path.name!r}", mend=mend) from None
        write_voice_settings(voice, settings)
        voice.manifest.touch(mode=0o600)
        sync_folder(voice.path)
        sync_folder(voices)
    return voice


def _folder_name(name: str) -> str:
    folder = unicodedata.normalize("NFC", " ".join(name.split()))
    if not folder or len(folder.encode()) > MAX_BYTES or len(folder) > MAX_NAME:
        raise DataError(f"a name has 1 to {MAX_NAME} letters", mend="Choose another name.")
    if folder[0] == "." or folder[-1] == "." or any(one in _NOT_IN_NAMES or not one.isprintable() for one in folder):
        raise DataError(f"{folder!r} cannot be a name here", mend="Use letters, numbers, spaces and hyphens.")
    return folder
