"""What a person wants to share from the app, and how far that is: ``VOICE/sharing.json``. Never holds a token."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from ownvoice.errors import DataError, HubFault
from ownvoice.publishing.repository import RepoKind
from ownvoice.rundir import VoiceFolder, write_atomically

State = Literal["looking", "asking", "sending", "done", "failed"]
"""Making the plan, waiting for the person's yes, carrying it out, and its two ends."""


@dataclass(frozen=True)
class Wanted:
    """What a person wants to share, and how."""

    kinds: tuple[RepoKind, ...]
    run: str = ""
    """Name of the training whose model and demo are meant."""
    public: bool = False
    author: str = ""
    licence: str = ""
    conditions: str = ""
    machine: str = ""
    """What a demo runs on, as the Hub calls it."""
    compares: bool = False
    """Whether a demo shows what the base model hears too."""


@dataclass(frozen=True)
class Step:
    """One repository: what will be in it, and how far it is."""

    kind: RepoKind
    repo: str
    contains: tuple[str, ...]
    notes: tuple[str, ...]
    listing: tuple[str, ...]
    recordings: int
    size: int
    """Bytes of all its files."""
    consent: str
    """What the speaker must agree to; empty where nothing has to be asked."""
    dollars_an_hour: float
    sent: int = 0
    to_send: int | None = None
    """Bytes, once it is known what is there already."""
    url: str = ""
    """Where it is, once all of it is there."""


@dataclass(frozen=True)
class Trouble:
    """What ended it early."""

    what: str
    where: str | None
    mend: str | None
    fault: HubFault


@dataclass(frozen=True)
class Sharing:
    """One wish to share, from its plan to its end."""

    wanted: Wanted
    owner: str
    """Name of the account it was planned for."""
    state: State = "looking"
    steps: tuple[Step, ...] = ()
    digest: str = ""
    """Stands for the plan that was shown: what is sent is what was agreed to."""
    agreed: bool = False
    """Whether the person said yes to it."""
    has_changed: bool = False
    """Whether the plan is another one than the person said yes to."""
    said: str = ""
    """What goes on now, in a sentence."""
    trouble: Trouble | None = None


def read_sharing(voice: VoiceFolder) -> Sharing | None:
    """What is being shared or was last; None where nothing is.

    Raises
    ------
    DataError
        when the file cannot be read.
    """
    try:
        return TypeAdapter(Sharing).validate_json(voice.sharing.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        raise DataError(
            "cannot be read as the record of what is shared", where=voice.sharing, mend="Delete this file."
        ) from None


def write_sharing(voice: VoiceFolder, sharing: Sharing) -> None:
    """Write it down, atomically.

    Raises
    ------
    StorageError
        when it cannot be written.
    """
    write_atomically(voice.sharing, json.dumps(asdict(sharing), ensure_ascii=False) + "\n")
