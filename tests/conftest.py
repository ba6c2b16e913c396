"""Fixtures that tests of several layers share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def small_voxtral(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a random Voxtral in miniature (see small_voxtral.py); not to be written to."""
    from small_voxtral import build_small_voxtral

    return build_small_voxtral(tmp_path_factory.mktemp("small-voxtral"))
