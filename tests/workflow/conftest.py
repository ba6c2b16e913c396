"""A voice whose runs leave no process behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ownvoice.rundir import VoiceFolder
from voices import make_voice


@pytest.fixture
def voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VoiceFolder]:
    """A voice beside no other; jobs of its runs that still live are killed in the end."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    made = make_voice(tmp_path / "voices" / "anna", 16)
    yield made
    for process in psutil.process_iter(["cmdline"]):
        if any(str(made.path) in argument for argument in process.info["cmdline"] or ()):
            process.kill()
