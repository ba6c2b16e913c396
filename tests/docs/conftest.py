"""Fixtures of the documentation's tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from snippet_desk import Desk

from ownvoice.rundir import RunFolder

sys.path.insert(0, str(Path(__file__).parents[2] / "tools" / "docs"))


@pytest.fixture(scope="session")
def laid_desk(trained_run: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The folder of all pages' snippets, laid once."""
    desk = Desk(tmp_path_factory.mktemp("desk"), trained_run)
    with desk.open_ones:
        yield desk


@pytest.fixture
def desk(laid_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The same, as the current folder."""
    monkeypatch.chdir(laid_desk.folder)
    return laid_desk
