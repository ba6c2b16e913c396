"""A run folder for the tests of the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from ownvoice.config import TrainingSettings
from ownvoice.rundir import RunFolder


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run of the voice "מרים", so that a name in another direction is on every page."""
    folder = RunFolder(tmp_path / "מרים" / "runs" / "20260101-120000")
    TrainingSettings(base_model="tiny").save(folder.config)
    return folder
