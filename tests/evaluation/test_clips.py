"""Recordings inside the page: playable, small, bounded."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ownvoice.data.audio import SAMPLE_RATE, write_wav
from ownvoice.errors import AudioError
from ownvoice.evaluation.clips import MAX_BYTES, embed_clips


def tone(path: Path, seconds: float) -> Path:
    samples = 0.2 * np.sin(np.arange(int(seconds * SAMPLE_RATE)) * 2 * np.pi * 440 / SAMPLE_RATE)
    write_wav(path, samples.astype(np.float32))
    return path


def decode(address: str | None) -> bytes:
    assert address is not None
    head, data = address.split(",")
    assert head == "data:audio/mpeg;base64"
    return base64.b64decode(data)


def test_a_clip_keeps_its_sound_at_five_thousand_bytes_a_second(tmp_path: Path) -> None:
    (address,) = embed_clips([tone(tmp_path / "a.wav", 4.0)], MAX_BYTES)
    data = decode(address)
    assert 4 * 5000 <= len(data) <= 4.3 * 5000
    heard, rate = soundfile.read(io.BytesIO(data))
    assert rate == SAMPLE_RATE
    assert len(heard) / rate == pytest.approx(4.0, abs=0.2)
    spectrum = np.abs(np.fft.rfft(heard))
    assert np.fft.rfftfreq(len(heard), 1 / rate)[spectrum.argmax()] == pytest.approx(440, abs=1)


def test_the_page_is_bounded(tmp_path: Path) -> None:
    clips = [tone(tmp_path / f"{number}.wav", 1.0) for number in range(4)]
    size = len(decode(embed_clips(clips[:1], MAX_BYTES)[0]))
    kept = embed_clips(clips, max_bytes=2 * size)
    assert [address is not None for address in kept] == [True, True, False, False]


def test_a_lost_recording_is_named(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"gone\.wav"):
        embed_clips([tmp_path / "gone.wav"], MAX_BYTES)
