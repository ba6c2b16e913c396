"""The microphone of this computer, through a program that records: arecord, parecord, or sox's rec.

Systems bring one of them or have it a package away, and each writes plain samples to its standard output; so nothing
has to be compiled against a sound system. Keeps nothing on disk.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import numpy as np

from ownvoice.data.audio import SAMPLE_RATE
from ownvoice.errors import UsageError

_RATE = str(SAMPLE_RATE)
RECORDERS = {
    "parecord": ["--raw", "--format=s16le", f"--rate={_RATE}", "--channels=1", "--latency-msec=100"],
    "arecord": ["-q", "-t", "raw", "-f", "S16_LE", "-r", _RATE, "-c", "1"],
    "rec": ["-q", "-t", "raw", "-e", "signed", "-b", "16", "-L", "-r", _RATE, "-c", "1", "-"],
}
"""Programs and what makes them write 16 kHz mono PCM16, in the order they are looked for."""
_BLOCK = SAMPLE_RATE // 10
"""Samples read at a time: a tenth of a second is no delay to a person."""


def find_recorder() -> list[str]:
    """The command that records here.

    Raises
    ------
    UsageError
        when no program that records is installed.
    """
    for program, arguments in RECORDERS.items():
        if (found := shutil.which(program)) is not None:
            return [found, *arguments]
    raise UsageError(
        "there is no program here that records",
        mend="Install one: alsa-utils or pulseaudio-utils on Linux, sox on a Mac (brew install sox). On Windows use "
        "the app or ownvoice serve.",
    )


@contextmanager
def microphone(recorder: list[str]) -> Iterator[Iterator[np.ndarray]]:
    """Record within the block; gives float32 samples of shape ``(n,)`` at 16 kHz as they come, until it ends.

    Raises
    ------
    UsageError
        while iterating, when the program finds no microphone.
    """
    process = subprocess.Popen(  # noqa: S603 - one of the fixed commands above
        recorder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield _blocks(process, recorder[0])
    finally:
        process.terminate()
        process.communicate()


def why_deaf(recorder: list[str], seconds: float) -> str | None:
    """What keeps ``recorder`` from hearing anything within ``seconds``; None where it hears, which is thrown away."""
    try:
        ended = subprocess.run(  # noqa: S603 - one of the fixed commands above
            recorder, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False
        )
        heard, complaint = ended.stdout, ended.stderr
    except subprocess.TimeoutExpired as still_recording:
        heard, complaint = still_recording.output, b"it hears nothing"
    return None if heard else _last_line(complaint)


def _blocks(process: subprocess.Popen[bytes], program: str) -> Iterator[np.ndarray]:
    heard = False
    while block := _read(process.stdout):
        heard = True
        yield np.frombuffer(block, "<i2").astype(np.float32) / 32768
    if not heard:
        raise UsageError(
            f"{program} could not record ({_last_line(process.stderr.read() if process.stderr else b'')})",
            mend="Check that a microphone is plugged in and that this program may use it.",
        )


def _read(stream: IO[bytes] | None) -> bytes:
    """Whole samples, as soon as there are some."""
    return b"" if stream is None else stream.read(2 * _BLOCK)


def _last_line(complaint: bytes) -> str:
    lines = complaint.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
