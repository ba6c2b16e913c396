"""Sound in and out: any audio file to 16 kHz mono, and 16 kHz mono PCM16 to disk.

What a file is, is told by its content and never by its name (``decoders.py``). Decoding is in blocks, so memory is
bounded by the length of the result and not by rate, channels or what a header claims. Channels are averaged and
resampling is soxr's. Nothing here normalises loudness, trims, or judges a recording: that is ``check.py``'s.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ownvoice.data.decoders import EXPORT_AGAIN, decode_blocks, too_long
from ownvoice.errors import AudioError, storage_faults
from ownvoice.rundir import make_folder, sync_folder

SAMPLE_RATE = 16000
"""Samples a second of everything ownvoice keeps: the rate Voxtral's encoder hears."""

AUDIO_SUFFIXES = (
    ".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".mp4", ".aac", ".webm", ".weba", ".mka", ".mkv", ".mov",
    ".3gp", ".amr", ".wma", ".aif", ".aiff", ".aifc", ".caf", ".au",
)  # fmt: skip
"""File name endings under which people keep sound, lower case. A hint for finding files; decoding ignores it."""

MAX_SECONDS = 2 * 60 * 60
"""A longer recording is refused: two hours are 460 MB of samples, and no phrase or dictation is that long."""

RATES = range(4000, 768_001)
"""Sampling rates that can be speech: below a telephone's half nothing is understood, above is no microphone's."""

MAX_AMPLITUDE = 16.0
"""Full scale is 1. Floating point files overshoot it a little; far beyond, the numbers are not sound in this scale."""

Samples = NDArray[np.float32]


def load_audio(path: Path, *, longest: float = MAX_SECONDS) -> Samples:
    """Decode ``path`` to a float32 array of shape (samples,), 16 kHz mono, full scale at -1 and 1.

    Parameters
    ----------
    longest
        Seconds; a longer recording is refused as soon as so much of it is decoded, whatever its header says.

    Raises
    ------
    AudioError
        when it is no audio, is damaged, is cut off (a wav, flac, m4a... that ends more than 0.1 s before the length it
        states; streams such as mp3, ogg and webm need not state one), holds no samples, NaN or infinite samples, or is
        longer than ``longest``.
    """
    return np.concatenate(list(_decode(path, longest)))


def load_audio_file(file: BinaryIO, *, longest: float = MAX_SECONDS) -> Samples:
    """The same for an open file that needs no name, such as an upload; it has a number (``fileno``) and is read anew.

    Raises
    ------
    AudioError
        as :func:`load_audio`.
    """
    return np.concatenate(list(_decode(Path("upload"), longest, file)))


def read_duration(path: Path) -> float:
    """Seconds of sound in ``path``, decoded to the end in bounded memory: a header's word is not taken for it.

    Raises
    ------
    AudioError
        as :func:`load_audio`.
    """
    return sum(len(block) for block in _decode(path)) / SAMPLE_RATE


def convert_to_wav(source: Path, target: Path) -> float:
    """Decode ``source`` into the new file ``target`` (16 kHz mono PCM16) and return its seconds.

    A source that already is 16 kHz mono PCM16 keeps every sample's value.

    Raises
    ------
    AudioError
        as :func:`load_audio`; ``target`` is then not made.
    FileExistsError
        when ``target`` exists; it is left as it is.
    StorageError
        when the disk is full or the folder cannot be written; ``target`` is then not made.
    """
    return _write_blocks(target, _decode(source))


def write_wav(path: Path, samples: Samples) -> None:
    """Write ``samples``, shape (samples,), full scale at -1 and 1, as the new 16 kHz mono PCM16 file ``path``.

    Atomic and synced: when this returns the file is whole and survives a power cut; until then there is none under
    this name. Values beyond full scale are clipped to it.

    Raises
    ------
    AudioError
        when there are no samples, or some are NaN or infinite.
    FileExistsError
        when ``path`` exists; it is left as it is.
    StorageError
        when the disk is full or the folder cannot be written.
    """
    if samples.ndim != 1:
        raise ValueError(f"expected samples of shape (samples,), got {samples.shape}")
    if not len(samples):
        raise _no_sound(path)
    _refuse_wild(samples, path)
    _write_blocks(path, iter([samples]))


def decode_pcm16(data: bytes, rate: int) -> Samples:
    """Mono PCM16 samples, little-endian, at ``rate``, as float32 of shape (samples,) at 16 kHz.

    Raises
    ------
    AudioError
        when there are none, or half a one.
    """
    import soxr

    if not data or len(data) % 2:
        raise AudioError("is not whole samples of 16 bits", mend="Record it again.")
    native: Samples = np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768)
    samples: Samples = soxr.resample(native, rate, SAMPLE_RATE)
    return samples


def _write_blocks(target: Path, blocks: Iterator[Samples]) -> float:
    if target.exists():  # asked again, for good, when the file is put in place
        raise FileExistsError(target)
    total = 0
    with storage_faults(target):
        make_folder(target.parent)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")  # with mode 0600
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                with contextlib.closing(wave.open(file, "wb")) as wav:  # closing: its header is written then
                    wav.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
                    for block in blocks:
                        wav.writeframesraw(to_pcm16(block).tobytes())
                        total += len(block)
                file.flush()
                os.fsync(file.fileno())
            with target.open("xb"):  # claims the name against every other process
                pass
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(target.parent)
    return total / SAMPLE_RATE


def to_pcm16(samples: Samples) -> NDArray[np.int16]:
    """Samples as 16-bit numbers, the inverse of decoding; values beyond full scale are clipped to it."""
    scaled: Samples = np.rint(samples * np.float32(32768))
    return np.clip(scaled, -32768, 32767).astype(np.int16)


def _decode(path: Path, longest: float = MAX_SECONDS, file: BinaryIO | None = None) -> Iterator[Samples]:
    """Yield float32 mono blocks at 16 kHz; every check of :func:`load_audio` is made on the way."""
    import soxr

    resampler, known_rate, total = None, None, 0
    for rate, block in decode_blocks(path, file, longest):
        if known_rate is None:
            if rate not in RATES:
                raise AudioError(
                    f"says it has {rate} samples a second, which cannot be speech", where=path, mend=EXPORT_AGAIN
                )
            if rate != SAMPLE_RATE:
                resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
            known_rate = rate
        if rate != known_rate:
            raise AudioError("changes its sampling rate on the way", where=path, mend=EXPORT_AGAIN)
        _refuse_wild(block, path)
        resampled = resampler.resample_chunk(block) if resampler else block
        total += len(resampled)
        if total > longest * SAMPLE_RATE:
            raise too_long(path, longest)
        if len(resampled):
            yield resampled
    if resampler is not None:
        rest = resampler.resample_chunk(np.empty(0, np.float32), last=True)
        total += len(rest)
        if len(rest):
            yield rest
    if not total:
        raise _no_sound(path)


def _refuse_wild(block: Samples, path: Path) -> None:
    if not np.isfinite(block).all():
        raise AudioError("holds samples that are no numbers (NaN or infinite)", where=path, mend=EXPORT_AGAIN)
    if len(block) and np.abs(block).max() > MAX_AMPLITUDE:
        raise AudioError("holds numbers far beyond full scale, which are no sound", where=path, mend=EXPORT_AGAIN)


def _no_sound(path: Path) -> AudioError:
    return AudioError(
        "holds no sound: its length is zero",
        where=path,
        mend="Record it again; a program that crashed may have left it.",
    )
