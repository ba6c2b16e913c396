"""Folders that appear whole or not at all, and survive a power cut; and locks that end with their process.

What is in them is told by :mod:`ownvoice.training.checkpoint` and :mod:`ownvoice.training.keep`.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from safetensors import SafetensorError

from ownvoice.errors import StorageError, storage_faults
from ownvoice.rundir import RunFolder, make_folder, sync_folder

PROBE_SECONDS = 0.3
"""Longest that :func:`is_held`, which must take a lock to see whether it can, is in the way of one who wants it."""

_SYSTEM_ERROR = re.compile(r"os error (\d+)")


@contextmanager
def locked(run: RunFolder) -> Iterator[None]:
    """Hold a run against other processes; the system frees it when the process dies, however it dies.

    Raises
    ------
    StorageError
        when another process trains it.
    """
    with held(run.lock) as is_ours:
        if not is_ours:
            raise StorageError(
                "another process is training this run", where=run.path, mend="Wait until it is done, or stop it."
            )
        yield


@contextmanager
def held(lock: Path) -> Iterator[bool]:
    """Hold the lock file ``lock`` within the block; False where another process holds it.

    Raises
    ------
    StorageError
        when its folder cannot be written.
    """
    handle = FileLock(lock)
    try:
        with storage_faults(lock):
            make_folder(lock.parent)
            handle.acquire(timeout=PROBE_SECONDS, poll_interval=0.05)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        handle.release()


def is_held(lock: Path) -> bool:
    """Whether a living process holds the lock file ``lock``."""
    if not lock.exists():
        return False
    handle = FileLock(lock)
    try:
        with storage_faults(lock):
            handle.acquire(timeout=0.02, poll_interval=0.005)  # longer than another one's look at it takes
    except Timeout:
        return True
    handle.release()
    return False


def place_folder(final: Path, fill: Callable[[Path], None]) -> None:
    """Fill a new folder and put it in the place of ``final``, which is complete before and after.

    There is an instant in which a folder to be replaced stands under another name; :func:`clear_remains` ends it after
    a crash.

    Raises
    ------
    StorageError
        when the disk is full or the folder cannot be written; ``final`` is then as it was.
    """
    with _tensor_faults(final):
        make_folder(final.parent)
        new = Path(tempfile.mkdtemp(dir=final.parent, prefix=f".{final.name}.new-"))
        try:
            fill(new)
            _sync_tree(new)
            old = _old(final)
            if final.exists():
                final.rename(old)
            new.rename(final)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        sync_folder(final.parent)
        shutil.rmtree(old, ignore_errors=True)


def clear_remains(final: Path) -> None:
    """After a crash: put ``final`` back if it was being replaced, and remove what was not finished."""
    old = _old(final)
    with storage_faults(final):
        if old.exists() and not final.exists():
            old.rename(final)
        shutil.rmtree(old, ignore_errors=True)
        for half in final.parent.glob(f".{final.name}.new-*"):
            shutil.rmtree(half, ignore_errors=True)


def _old(final: Path) -> Path:
    return final.with_name(f".{final.name}.old")


def _sync_tree(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            with file.open("rb") as handle:
                os.fsync(handle.fileno())
    sync_folder(folder)


@contextmanager
def _tensor_faults(where: Path) -> Iterator[None]:
    """:func:`~ownvoice.errors.storage_faults`, also for safetensors, which wraps the system's error in its own."""
    with storage_faults(where):
        try:
            yield
        except SafetensorError as error:
            found = _SYSTEM_ERROR.search(str(error))
            if found is None:
                raise
            number = int(found[1])
            raise OSError(number, os.strerror(number), str(where)) from error
