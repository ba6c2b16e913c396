"""Where what is computed of a recording lies, and its end when the recording is gone: its features are the voice too.

There is a folder for each utterance in the voice's cache. What is in it is ``model/cache.py``'s, and never needed: what
is missing is computed again.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil

from ownvoice.data.manifest import scan_manifest
from ownvoice.data.utterance import utterance_id
from ownvoice.errors import storage_faults
from ownvoice.rundir import VoiceFolder


def folder_of(name: str) -> str:
    """The folder, in a voice's cache, of what is computed of the utterance with this id."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def forget_deleted(voice: VoiceFolder) -> int:
    """Delete what was computed of recordings whose file or line is no longer there; returns of how many.

    Raises
    ------
    StorageError
        when it cannot be deleted.
    """
    if not voice.cache.is_dir() or not voice.manifest.is_file():
        return 0
    there = {
        folder_of(utterance_id(utterance))
        for _, utterance in scan_manifest(voice).everything
        if (voice.path / utterance.audio_path).is_file()
    }
    with storage_faults(voice.cache):
        left = [folder for folder in voice.cache.iterdir() if folder.is_dir() and folder.name not in there]
        for folder in left:
            with contextlib.suppress(FileNotFoundError):  # another process deletes it too
                shutil.rmtree(folder)
    return len(left)
