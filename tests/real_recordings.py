"""Recordings of a real speaker joined to one long one, with the places of its clips: ``asterisk-core-sounds-en``."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from ownvoice.data.audio import SAMPLE_RATE, load_audio

SOUNDS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
GAP = 0.3
"""Seconds of silence between two clips."""


@dataclass(frozen=True)
class LongRecording:
    """``clips`` are start and end of each clip's sound in samples."""

    samples: np.ndarray
    clips: list[tuple[int, int]]


def long_recording(seconds: float) -> LongRecording:
    """Clips of three words and more, in the order of their names, until ``seconds`` are reached."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))
    try:
        from real_speech import INSTALLED, find_prompts, transcript_path
    finally:
        sys.path.pop(0)
    if not (SOUNDS.is_dir() and (INSTALLED / transcript_path("en")).is_file()):
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs the Debian package asterisk-core-sounds-en-wav")
    gap = np.zeros(round(GAP * SAMPLE_RATE), np.float32)
    parts, clips, length = [], [], 0
    for prompt in sorted(find_prompts("en"), key=lambda prompt: prompt.key):
        samples = load_audio(prompt.audio)
        clips.append((length, length + samples.size))
        parts += [samples, gap]
        length += samples.size + gap.size
        if length >= seconds * SAMPLE_RATE:
            break
    return LongRecording(np.concatenate(parts), clips)
