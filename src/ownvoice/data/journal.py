"""An append-only file of lines that keeps what was saved through a kill, a full disk and a second process.

Knows bytes and line ends and never what a line means; nothing here rewrites or deletes a line. A last line that was
cut off while being written is moved to a file beside it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ownvoice.errors import StorageError, storage_faults
from ownvoice.quantities import counted
from ownvoice.rundir import make_folder, sync_folder

LOCK_SECONDS = 60.0
"""How long to wait for another process: an append takes milliseconds, seconds on a busy machine; longer is stuck."""

_BLANK = b"\xef\xbb\xbf \t\r\n"
"""A byte order mark and white space: no line, and harmless before one."""


@contextmanager
def locked(lock: Path) -> Iterator[None]:
    """Hold the lock file ``lock`` against other processes and threads; the system frees it when a process dies.

    Raises
    ------
    StorageError
        when another program holds it for :data:`LOCK_SECONDS`, or the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    handle = FileLock(lock, timeout=LOCK_SECONDS)
    try:
        with storage_faults(lock):
            make_folder(lock.parent)
            handle.acquire()
    except Timeout:
        raise StorageError(
            "another program is writing to this voice", where=lock.parent, mend="Wait until it is done, or close it."
        ) from None
    try:
        yield
    finally:
        handle.release()


def append(path: Path, data: bytes) -> None:
    """Add ``data`` at the end of ``path`` and sync it; on any failure ``path`` is as it was. Hold the lock.

    Raises
    ------
    StorageError
        when the disk is full or the folder cannot be written.
    """
    with storage_faults(path):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)  # words are personal
        try:
            before = os.fstat(descriptor).st_size
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
                os.fsync(descriptor)
                if not before:  # it may be new
                    sync_folder(path.parent)
            except BaseException:
                os.ftruncate(descriptor, before)
                raise
        finally:
            os.close(descriptor)


def has_open_tail(path: Path) -> bool:
    """Whether the file ends without a line end: a write was cut off, or a person's editor left it out."""
    try:
        with path.open("rb") as file:
            if not file.seek(0, os.SEEK_END):
                return False
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"
    except FileNotFoundError:
        return False


def mend_tail(path: Path, side: Path, is_whole: Callable[[bytes], bool]) -> str | None:
    """Make the file end with a line end and return what was done, in words, or None. Hold the lock.

    A last line that ``is_whole`` gets its line end; a fragment is first saved at the end of ``side``, then cut off.
    Killed between the two, the fragment is in both and is moved again next time.
    """
    if not has_open_tail(path):
        return None
    lines = path.read_bytes().split(b"\n")
    tail = lines[-1]
    if not tail.strip(_BLANK):
        return None
    if is_whole(tail):
        append(path, b"\n")
        return f"{path.name}, line {len(lines)}: the last line lacked its line end; it is whole and was kept"
    append(side, tail + b"\n")
    with storage_faults(path), path.open("r+b") as file:
        file.truncate(path.stat().st_size - len(tail))
        os.fsync(file.fileno())
    return (
        f"{path.name}, line {len(lines)}: the last line was cut off while being written; "
        f"what there was of it ({counted(len(tail), 'byte')}) is now in {side.name}"
    )
