"""Ways to the local Hub."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fakes.hub.app import Hub as LocalHub
from ownvoice.credentials import Secret
from ownvoice.publishing.hub import Hub


@pytest.fixture
def said() -> list[str]:
    """What a person was told on the way."""
    return []


@pytest.fixture
def waited() -> list[float]:
    """How long it would have waited for the Hub, in seconds."""
    return []


@pytest.fixture
def connect(local_hub: LocalHub, said: list[str], waited: list[float]) -> Callable[[str], Hub]:
    return lambda token="hf_write": Hub(Secret(token), said.append, waited.append)
