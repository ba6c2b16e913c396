"""A request's sound: its file, decoded within bounds of length, memory and number, and cut into windows.

A header's word is not taken for anything: decoding goes block by block and ends where the bound is reached. Sound lies
in a file without a name, so that nothing of it stays when the process ends, however it ends.
"""

from __future__ import annotations

import asyncio
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from starlette.datastructures import UploadFile

from ownvoice.data.audio import SAMPLE_RATE, load_audio_file
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
        spooled = cast("SpooledTemporaryFile[bytes]", file.file)
        spooled.rollover()  # onto the disk, where it has no name and is gone with this process, however that ends
        spooled.flush()
        try:
            samples = load_audio_file(cast("BinaryIO", spooled), longest=self._max_seconds)
        except AudioError as error:
            raise AudioError(error.what, mend=error.mend) from None
        return cut(recogniser, samples), samples.size / SAMPLE_RATE
