"""Clips and settings the tests of training share."""

from __future__ import annotations

from pathlib import Path

import pytest
from killable import make_clips

from ownvoice.rundir import RunFolder
from ownvoice.training.examples import Clip


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Clip]:
    """Twelve clips, one of them of two windows; the last three serve as dev set."""
    return make_clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """An empty run in an empty voice."""
    folder = RunFolder(tmp_path / "voice" / "runs" / "first")
    folder.path.mkdir(parents=True)
    return folder
