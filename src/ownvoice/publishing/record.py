"""What was published where: ``published.json`` in a voice (its recordings) or a run (its model, its demo).

The next time goes to the same place, and a card knows whether the recordings can be read. Never holds a token.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ownvoice.errors import DataError
from ownvoice.publishing.repository import RepoKind
from ownvoice.rundir import write_atomically


@dataclass(frozen=True)
class Published:
    """One repository that holds what was published."""

    repo: str
    public: bool
    url: str
    commit: str
    when: str
    """ISO 8601 time (UTC)."""


def read_published(path: Path) -> dict[RepoKind, Published]:
    """What a ``published.json`` tells; nothing where there is none.

    Raises
    ------
    DataError
        when it cannot be read.
    """
    if not path.is_file():
        return {}
    try:
        return TypeAdapter(dict[RepoKind, Published]).validate_json(path.read_bytes())
    except (OSError, ValidationError):
        raise DataError(
            "cannot be read as a record of what was published",
            where=path,
            mend="Move it away; then say where to publish with --repo.",
        ) from None


def note_published(path: Path, kind: RepoKind, published: Published) -> None:
    """Write down where something was published, atomically.

    Raises
    ------
    StorageError
        when it cannot be written.
    """
    _write(path, {**read_published(path), kind: published})


def forget_published(path: Path, kind: RepoKind) -> None:
    """Strike out what is not on the Hub any more, atomically.

    Raises
    ------
    StorageError
        when it cannot be written.
    """
    _write(path, {name: entry for name, entry in read_published(path).items() if name != kind})


def _write(path: Path, published: Mapping[RepoKind, Published]) -> None:
    plain = {name: asdict(entry) for name, entry in published.items()}
    write_atomically(path, json.dumps(plain, ensure_ascii=False, indent=1) + "\n")


def now() -> str:
    """The time as records have it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
