"""What is said of a repository on the Hub: its kind, how it stands, what a push did to it. Asks and sends nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RepoKind = Literal["model", "dataset", "space"]


@dataclass(frozen=True)
class RepoState:
    """A repository as it is on the Hub."""

    public: bool
    head: str
    """Its latest commit."""


@dataclass(frozen=True)
class Pushed:
    """What a push did."""

    url: str
    commit: str
    sent: tuple[str, ...]
    """Files that were new or had changed."""
    removed: tuple[str, ...]
    """Files that are no longer there; earlier commits still hold them."""


def repo_url(endpoint: str, kind: RepoKind, repo: str) -> str:
    """Address of a repository's page."""
    return f"{endpoint}/{repo}" if kind == "model" else f"{endpoint}/{kind}s/{repo}"
