"""Whose voices a request may see, and where they lie."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

from ownvoice.rundir import VoiceFolder
from ownvoice.ui.frame import PageError


def voices_folder(request: Request) -> Path:
    """The folder that holds the voices of whoever asks; it may not exist yet."""
    folder: Path = request.app.state.voices
    return folder


def voice_of(request: Request, voice: str) -> VoiceFolder:
    """The voice named in the path: a folder directly inside :func:`voices_folder`, and nothing else.

    Raises
    ------
    PageError
        404 when there is none of that name.
    """
    folder = voices_folder(request) / voice
    if (
        voice.startswith(".")
        or Path(voice).name != voice
        or "\\" in voice
        or not folder.is_dir()
        or folder.is_symlink()
    ):
        raise PageError(404, f"there is no voice called {voice!r} here", mend="Choose one on the start page.")
    return VoiceFolder(folder)


Voices = Annotated[Path, Depends(voices_folder)]
Voice = Annotated[VoiceFolder, Depends(voice_of)]
