"""What is known of a run's rented machine: ``RUN/remote.json``. Never holds a token; asks nobody."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from pydantic import TypeAdapter, ValidationError

from ownvoice.errors import TrainingError
from ownvoice.rundir import RunFolder, write_atomically


@dataclass(frozen=True)
class Remote:
    """A run on a rented machine."""

    owner: str
    """Who pays."""
    repo: str
    """OWNER/NAME of the private data set that the job reads, and of the private model that it writes."""
    machine: str
    dollars_an_hour: float
    seconds: int
    """The job is ended after this time."""
    keeps: bool = False
    """Whether recordings and model stay on the Hub afterwards."""
    job: str = ""
    """The Hub's name of it; empty until it was started."""
    is_over: bool = False
    """Whether nothing more will come from there."""


def read_remote(run: RunFolder) -> Remote | None:
    """What is known of a run's rented machine; None for a run of this computer.

    Raises
    ------
    TrainingError
        when the file cannot be read.
    """
    if not run.remote.is_file():
        return None
    try:
        return TypeAdapter(Remote).validate_json(run.remote.read_bytes())
    except (OSError, ValidationError):
        raise TrainingError("cannot be read as the record of a rented machine", where=run.remote) from None


def write_remote(run: RunFolder, remote: Remote) -> None:
    """Write it down, atomically.

    Raises
    ------
    StorageError
        when it cannot be written.
    """
    write_atomically(run.remote, json.dumps(asdict(remote), indent=1) + "\n")


def works_elsewhere(run: RunFolder) -> bool:
    """Whether a rented machine works on this run, as far as is known here."""
    remote = read_remote(run)
    return remote is not None and not remote.is_over
