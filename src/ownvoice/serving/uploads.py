"""A request's sound: its file, decoded within bounds of length, memory and number, and cut into windows.

A header's word is not taken for anything: decoding goes block by block and ends where the bound is reached. Sound lies
in a folder for this process's owner alone and is deleted as soon as it is decoded.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

from starlette.datastructures import UploadFile

from ownvoice.data.audio import SAMPLE_RATE, load_audio
from ownvoice.errors import AudioError
from ownvoice.model.load import Recogniser
from ownvoice.model.recording import Piece, cut

_AT_A_TIME = 2
"""Recordings decoded at a time: each takes one core and the memory of its samples."""


class Uploads:
    """Reads uploads."""

    def __init__(self, max_seconds: float) -> None:
        self._max_seconds = max_seconds
        self._turn = asyncio.Semaphore(_AT_A_TIME)

    async def read(self, file: UploadFile, recogniser: Recogniser) -> tuple[list[Piece], float]:
        """The windows of an uploaded recording, and its seconds.

        Raises
        ------
        AudioError
            when it is no sound, is damaged, or is longer than is allowed.
        """
        async with self._turn:
            return await asyncio.to_thread(self._decode, file, recogniser)

    def _decode(self, file: UploadFile, recogniser: Recogniser) -> tuple[list[Piece], float]:
        with tempfile.TemporaryDirectory(prefix="ownvoice-") as folder:
            path = Path(folder) / "upload"  # a client's file name is nobody's business and no hint
            with path.open("wb") as copy:
                shutil.copyfileobj(file.file, copy)
            try:
                samples = load_audio(path, longest=self._max_seconds)
            except AudioError as error:
                raise AudioError(error.what, mend=error.mend) from None  # without the path on this computer
        return cut(recogniser, samples), samples.size / SAMPLE_RATE
