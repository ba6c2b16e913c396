"""Fixtures of the command line's tests."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from bad_place import good_place, place

from live_server import CLIPS
from ownvoice.data.audio import SAMPLE_RATE, load_audio

__all__ = ["good_place", "place"]


@pytest.fixture
def card(tmp_path: Path) -> dict[str, str]:
    """An environment whose only program is the system's arecord, and whose microphone says two phrases."""
    arecord = shutil.which("arecord")
    if arecord is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs the Debian package alsa-utils")
    programs = tmp_path / "bin"
    programs.mkdir()
    silence = np.zeros(2 * SAMPLE_RATE, np.float32)
    said = np.concatenate([silence, load_audio(CLIPS[0]), silence, load_audio(CLIPS[1]), silence])
    (tmp_path / "said.raw").write_bytes((said * 32767).astype("<i2").tobytes())
    program = programs / "arecord"
    program.write_text(f'#!/bin/sh\nexec {arecord} -d {int(said.size / SAMPLE_RATE)} "$@"\n')
    program.chmod(0o755)
    settings = tmp_path / "asound.conf"
    settings.write_text(
        f'pcm.!default {{ type file slave.pcm "null" file "/dev/null" infile "{tmp_path}/said.raw" format "raw" }}\n'
        "pcm.null { type null }\n"
    )
    return os.environ | {"PATH": str(programs), "ALSA_CONFIG_PATH": str(settings), "OMP_NUM_THREADS": "1"}
