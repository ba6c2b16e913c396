"""Recordings of a real speaker joined to one long one, as bench/transcribe.py does it: ``asterisk-core-sounds-en``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from transcribe import LongRecording  # type: ignore[import-not-found]

SOUNDS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")


def long_recording(seconds: float) -> LongRecording:
    """English clips of three words and more; without the package tests skip, but not in CI."""
    if not SOUNDS.is_dir():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs the Debian package asterisk-core-sounds-en-wav")
    sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))
    try:
        from transcribe import join_recordings
    finally:
        sys.path.pop(0)
    return join_recordings(seconds, ("en",))
