"""What is in an audio file, block by block, as libsndfile or FFmpeg decode it: at the file's own rate, made mono.

A file's content alone decides which of them reads it. Nothing is resampled or judged here but whether the file is whole
(``audio.py``).
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ownvoice.errors import AudioError

CUT_OFF_TOLERANCE = 0.1
"""Seconds a file may be shorter than it says. Encoders pad and prime their streams by up to about 50 ms."""

STREAMED_SIZE = 0x7FFFF000
"""A WAV data size from here on means "not known": writers to a pipe (sox, espeak-ng, ffmpeg) put it there."""

_BLOCK_SAMPLES = 1 << 18
"""Samples decoded at a time over all channels: 1 MB as float32."""

_AV_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,ogg,aac,mp3,wav,w64,flac,aiff,caf,amr,asf,avi,mpegts,au"
"""Containers PyAV may open. Playlists are left out on purpose: one could name any other file or address."""

EXPORT_AGAIN = "Open it in an audio program and export it again as WAV, or leave it out."
"""What mends a file that an audio program may still read."""

Block = NDArray[np.float32]


def decode_blocks(path: Path, file: BinaryIO | None, longest: float) -> Iterator[tuple[int, Block]]:
    """Yield (samples a second, mono block of shape (samples,)) by whichever library knows the content.

    Parameters
    ----------
    path
        For messages, and for the file where ``file`` is None.
    file
        The sound, opened; it has a number (``fileno``) and is read anew.
    longest
        Seconds; what says itself that it is longer is refused at once, since hours of many channels take minutes to
        decode. One that says less, or nothing, is decoded however long it is.

    Raises
    ------
    AudioError
        when it cannot be opened, is no audio, is damaged, says it is too long, or ends more than
        :data:`CUT_OFF_TOLERANCE` before the length it states; blocks before that place have been handed over by then.
    """
    import soundfile

    with contextlib.nullcontext(file) if file is not None else _opened(path) as file:
        try:
            if not os.fstat(file.fileno()).st_size:
                raise AudioError("is empty (0 bytes)", where=path, mend="Record or copy it again, or leave it out.")
            file.seek(0)
            sound = soundfile.SoundFile(file.fileno(), closefd=False)  # by number: no name to guess a format from
        except soundfile.LibsndfileError:
            file.seek(0)
            yield from _decode_with_av(file, path, longest)
            return
        with sound:
            yield from _decode_with_soundfile(sound, path, longest)


def too_long(path: Path, longest: float) -> AudioError:
    """What is said of a recording of more than ``longest`` seconds."""
    limit = f"{longest / 3600:g} hours" if longest >= 3600 else f"{longest:g} s"
    return AudioError(f"is longer than {limit}", where=path, mend="Cut it into shorter recordings.")


def _opened(path: Path) -> BinaryIO:
    if path.exists() and not path.is_file():  # opening a pipe would wait for ever
        raise AudioError("is a folder or a device, not an audio file", where=path, mend="Give the files themselves.")
    try:
        return path.open("rb")
    except OSError as error:
        raise _unopened(path, error) from None


def _decode_with_soundfile(sound: Any, path: Path, longest: float) -> Iterator[tuple[int, Block]]:
    import soundfile

    rate, decoded = sound.samplerate, 0
    promised = _promised_frames(sound)
    if promised is not None and sound.frames > longest * rate:
        raise too_long(path, longest)
    frames = max(1, _BLOCK_SAMPLES // sound.channels)
    try:
        while len(block := sound.read(frames, dtype="float32", always_2d=True)):
            decoded += len(block)
            yield rate, _mixed(block)
    except soundfile.LibsndfileError:
        raise _damaged(path) from None
    if promised is not None and promised - decoded > CUT_OFF_TOLERANCE * rate:
        raise _cut_off(path, decoded / rate, promised / rate)


def _mixed(block: Block) -> Block:
    """The mean of the channels of a block of shape (samples, channels)."""
    channels = block.shape[1]
    if channels == 1:
        return block[:, 0]
    mixed: Block = block @ np.full(channels, 1 / channels, np.float32)  # ten times as fast as block.mean(axis=1)
    return mixed


def _promised_frames(sound: Any) -> float | None:
    """Frames the header states, or None where it states none.

    libsndfile corrects a chunk's size to what the file holds and says so in its log alone.
    """
    if sound.format == "MP3" or sound.frames >= 2**62:  # an estimate; "unknown"
        return None
    corrected = re.search(r"^\s*(?:data|SSND)\s*: (\d+) \(should be (\d+)\)", sound.extra_info, re.MULTILINE)
    if corrected is None:
        return int(sound.frames)
    stated, present = int(corrected[1]), int(corrected[2])
    if stated >= STREAMED_SIZE or not present:
        return None
    return float(sound.frames * stated / present)


def _decode_with_av(file: BinaryIO, path: Path, longest: float) -> Iterator[tuple[int, Block]]:
    import av

    decoded = 0.0
    try:
        with av.open(file, metadata_errors="ignore", options={"format_whitelist": _AV_FORMATS}) as container:
            stream = container.streams.best("audio")
            if stream is None:
                raise AudioError("holds no sound", where=path, mend="Choose a file with sound, or leave it out.")
            promised = float(stream.duration * stream.time_base) if stream.duration else 0.0
            if promised > longest:
                raise too_long(path, longest)
            to_float = av.AudioResampler(format="fltp")
            for frame in container.decode(stream):
                for piece in to_float.resample(frame):
                    block = piece.to_ndarray().mean(axis=0, dtype=np.float32)
                    decoded += len(block) / piece.sample_rate
                    yield piece.sample_rate, block
    except (av.FFmpegError, ValueError, OSError):  # OSError: a header that sends the reader before the file
        raise _damaged(path) if decoded else _not_audio(path) from None
    if promised - decoded > CUT_OFF_TOLERANCE:
        raise _cut_off(path, decoded, promised)


def _unopened(path: Path, error: OSError) -> AudioError:
    if isinstance(error, FileNotFoundError):
        return AudioError("there is no such file", where=path, mend="Check the name, or leave it out.")
    return AudioError(f"cannot be opened ({error.strerror})", where=path, mend="Check the file's permissions.")


def _not_audio(path: Path) -> AudioError:
    return AudioError(
        "is not an audio file, or only a part of one: nothing in it can be decoded", where=path, mend=EXPORT_AGAIN
    )


def _damaged(path: Path) -> AudioError:
    return AudioError("is damaged or cut off: it cannot be decoded to its end", where=path, mend=EXPORT_AGAIN)


def _cut_off(path: Path, present: float, promised: float) -> AudioError:
    return AudioError(
        f"is cut off: it says it lasts {promised:.1f} s and {present:.1f} s are there",
        where=path,
        mend="Copy it again from where it came from; to keep what is there, open and export it in an audio program.",
    )
