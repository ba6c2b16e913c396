"""A local Hub, and ways to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fakes.hub.app import Hub as LocalHub
from fakes.hub.app import Token, running_hub
from ownvoice.credentials import Secret
from ownvoice.publishing.hub import Hub
from ownvoice.rundir import RunFolder
from trained_run import train_tiny

WRITE, READ, FINE = "hf_write", "hf_read", "hf_fine"


@pytest.fixture
def local_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    """An empty Hub that the client in this process talks to, by LFS: the local Hub has no Xet storage."""
    with running_hub(tmp_path / "hub") as hub:
        hub.add_token(Token(WRITE, "anna", orgs=("clinic",)))
        hub.add_token(Token(READ, "anna", "read"))
        hub.add_token(Token(FINE, "anna", "fineGrained", writes=("anna/mine",)))
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("HF_TOKEN", WRITE)
        yield hub


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
    return lambda token=WRITE: Hub(Secret(token), said.append, waited.append)


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run of the built-in model, trained and judged; not to be written to."""
    return train_tiny(tmp_path_factory.mktemp("trained"))
