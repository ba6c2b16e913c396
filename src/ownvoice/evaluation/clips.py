"""Recordings small enough to travel inside a page: MP3 at 40 kbit/s, as ``data:`` addresses.

MP3 and not Opus, though Opus is smaller: every browser plays it, also one of an old tablet. A second takes 5,000 bytes,
a third more in the page's text; the recording itself stays as it is on disk.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

from ownvoice.data.audio import SAMPLE_RATE
from ownvoice.data.recording import AudioSource, load_recording

MAX_BYTES = 12_000_000
"""Of all clips of a page together: 40 minutes of speech, 16 MB of page, which a telephone still opens."""
_COMPRESSION = 0.8  # libsndfile's scale from 0 to 1; with a constant bit rate at 16 kHz this is 40 kbit/s


def embed_clips(recordings: Sequence[AudioSource], max_bytes: int) -> list[str | None]:
    """Encode each recording as a ``data:audio/mpeg`` address.

    Returns
    -------
    list of str or None
        One for each recording in order; None from the first clip on that would take the page beyond ``max_bytes``.

    Raises
    ------
    AudioError
        when a recording cannot be read.
    """
    addresses: list[str | None] = []
    total = 0
    for recording in recordings:
        clip = _to_mp3(recording)
        total += len(clip)
        if total > max_bytes:
            return addresses + [None] * (len(recordings) - len(addresses))
        addresses.append("data:audio/mpeg;base64," + base64.b64encode(clip).decode())
    return addresses


def _to_mp3(recording: AudioSource) -> bytes:
    import soundfile

    buffer = io.BytesIO()
    samples = load_recording(recording)
    soundfile.write(buffer, samples, SAMPLE_RATE, format="MP3", compression_level=_COMPRESSION, bitrate_mode="CONSTANT")
    return buffer.getvalue()
