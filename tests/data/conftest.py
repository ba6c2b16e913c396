"""Where the tests of importing begin; a file with other needs has fixtures of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from ownvoice.rundir import VoiceFolder
from sources import record


@pytest.fixture
def voice(tmp_path: Path) -> VoiceFolder:
    """A voice that does not exist yet."""
    return VoiceFolder(tmp_path / "anna")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one good recording, without a transcript."""
    record(tmp_path / "in" / "good.wav", 1)
    return tmp_path / "in"
