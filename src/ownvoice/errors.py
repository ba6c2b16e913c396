"""The exceptions a caller of ownvoice may meet, and nothing else.

    OwnvoiceError               what is wrong, where, and how to mend it
    |-- UsageError              the command was given wrongly (exit code 2)
    |   `-- ConfigError         a setting or a recipe file is wrong
    |-- DataError               something is wrong with a voice folder
    |   |-- AudioError          one audio file cannot be read or used
    |   |-- ManifestError       data.jsonl or another table cannot be trusted
    |   |-- SourceError         what was to be imported cannot be read
    |   `-- TooLittleDataError  not enough utterances to train or to judge
    |-- ModelError              a model folder or Hub id cannot be loaded or used
    |-- MemoryShortageError     the device has too little memory for what was asked
    |-- TrainingError           a run cannot start, go on, or be resumed
    |   |-- DivergedError       the loss or a gradient is no longer a number
    |   |-- ProcessLostError    another of the processes that train it has ended
    |   `-- StoppedError        a person paused or cancelled it
    |-- StorageError            no permission, folder in use
    |   `-- DiskFullError       there is no room left
    `-- HubError                the Hugging Face Hub refused or could not be reached

The command line prints the message alone and never a traceback for these.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal


class OwnvoiceError(Exception):
    """What is wrong, where, and how to mend it, in plain words."""

    exit_code = 1

    def __init__(self, what: str, *, where: str | Path | None = None, mend: str | None = None) -> None:
        self.what = what
        self.where = str(where) if where is not None else None
        self.mend = mend
        super().__init__(str(self))

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}\n{self.mend}" if self.mend else head


class UsageError(OwnvoiceError):
    """The command or function was called with arguments that cannot work."""

    exit_code = 2


class ConfigError(UsageError):
    """A setting is out of range, unknown, or contradicts another."""


class DataError(OwnvoiceError):
    """Something is wrong with the recordings or their table."""


class AudioError(DataError):
    """One audio file cannot be decoded or does not hold usable sound."""


class ManifestError(DataError):
    """A line of data.jsonl, voice.yaml or split.json cannot be trusted."""


class SourceError(DataError):
    """The folder, table, archive or Hub dataset to import cannot be read."""


class TooLittleDataError(DataError):
    """There are too few utterances for what was asked."""


class ModelError(OwnvoiceError):
    """A model or adapter cannot be found, loaded, or is not a Voxtral."""


class MemoryShortageError(OwnvoiceError):
    """The device that computes has too little memory for what was asked."""


class TrainingError(OwnvoiceError):
    """A training run cannot start, go on, or be resumed."""


class DivergedError(TrainingError):
    """The loss or a gradient is no longer a number, so that nothing more can be learned."""


class ProcessLostError(TrainingError):
    """Several processes train a run, and one of them has ended before its time."""


class StoppedError(TrainingError):
    """A person asked the run to pause or to end; it can go on later."""


class StorageError(OwnvoiceError):
    """The disk is full, a folder cannot be written, or another process holds it."""


class DiskFullError(StorageError):
    """There is no room left on the disk, or within what this person may use of it."""


HubFault = Literal["token", "payment", "rights", "missing", "changed", "full", "busy", "broken", "connection", "other"]
"""Which kind of refusal of the Hub, for a page that tells it in its own words."""


class HubError(OwnvoiceError):
    """The Hugging Face Hub refused the request or could not be reached."""

    def __init__(
        self, what: str, *, where: str | Path | None = None, mend: str | None = None, fault: HubFault = "other"
    ) -> None:
        self.fault = fault
        super().__init__(what, where=where, mend=mend)


_NO_LOCKS = (
    "this disk cannot keep two programs from writing at once, as some network folders cannot",
    "Keep your voices on a disk of this computer, and copy them to the other one when ownvoice has ended.",
)
_GONE = (
    "the disk or network folder is not there any more",
    "Connect it again, then run the same command again; what was said to be saved is on it.",
)
_STORAGE_FAULTS = {
    errno.ENOSPC: ("the disk is full", "Free some space and run the same command again; nothing saved was lost."),
    errno.EDQUOT: ("the disk quota is used up", "Free space and run the same command again; nothing saved was lost."),
    errno.EFBIG: ("the file would grow past the size allowed here", "Raise the limit or choose another disk."),
    errno.EACCES: (
        "there is no permission to read or write here",
        "Choose a folder of your own, or change permissions.",
    ),
    errno.EPERM: (
        "there is no permission to read or write here",
        "Choose a folder of your own, or change permissions.",
    ),
    errno.EROFS: ("this disk is read-only", "Choose a folder on another disk."),
    errno.ENOTDIR: ("a file stands where a folder is needed", "Move that file away or choose another folder."),
    errno.ENAMETOOLONG: ("the name is too long", "Choose a shorter one."),
    errno.EIO: (
        "the disk reports a fault while reading or writing",
        "What was said to be saved is on it. Copy your folders to another disk before you go on: this one may fail.",
    ),
    errno.ENOLCK: _NO_LOCKS,
    errno.ENOTSUP: _NO_LOCKS,
    errno.ESTALE: _GONE,
    errno.ENODEV: _GONE,
    errno.ENXIO: _GONE,
    errno.ENOTCONN: _GONE,
    errno.EHOSTDOWN: _GONE,
    errno.EISDIR: ("a folder stands where a file is needed", "Move that folder away or choose another name."),
}

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def storage_faults(where: str | Path) -> Iterator[None]:
    """Turn the operating system's refusal to write below ``where`` into a :class:`StorageError`.

    Raises
    ------
    StorageError
        for a full disk, a missing permission, a read-only disk or a file in the way.
        Every other ``OSError`` passes unchanged.
    """
    try:
        yield
    except OSError as error:
        fault = _STORAGE_FAULTS.get(error.errno or 0)
        if fault is None:
            raise
        what, mend = fault
        kind = DiskFullError if error.errno in _NO_ROOM else StorageError
        raise kind(what, where=error.filename or where, mend=mend) from error


_SHORTAGES = (
    "out of memory",  # torch on a card
    "can't allocate memory",  # torch on a CPU
    "cannot allocate memory",  # the operating system
    "bad_alloc",  # C++
    "alloc_failed",  # cuBLAS, cuDNN
    "could not create a primitive",  # oneDNN, which finds no other words for it
    "could not create a memory",
)


def is_memory_shortage(error: BaseException | None) -> bool:
    """Whether memory ran out, which each layer says in its own way."""
    match error:
        case MemoryError():
            return True
        case OSError():
            return error.errno == errno.ENOMEM
        case RuntimeError() | ImportError():  # of torch and the libraries below it; a library that finds no place
            said = str(error).lower()
            return any(words in said for words in _SHORTAGES)
    return False
