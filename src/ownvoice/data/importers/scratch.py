"""A folder for the one clip that is being decoded, and the end of those that killed imports left behind.

A copy of somebody's voice must not lie about once nobody works with it: a folder whose lock is free has lost its
process, and the next import deletes it. Knows nothing of clips.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ownvoice.data import journal
from ownvoice.errors import storage_faults

_PREFIX = "ownvoice-import-"
_LOCK = ".lock"
_YOUNG_SECONDS = 60.0
"""A folder younger than this may belong to a process that is just about to lock it."""


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder only this user can look into, which is gone afterwards.

    Raises
    ------
    StorageError
        when it cannot be made.
    """
    with storage_faults(tempfile.gettempdir()):
        _delete_abandoned(Path(tempfile.gettempdir()))
        folder = tempfile.TemporaryDirectory(prefix=_PREFIX)
    with folder as path, journal.locked(Path(path) / _LOCK):
        yield Path(path)


def _delete_abandoned(temporary: Path) -> None:
    from filelock import FileLock, Timeout

    for folder in temporary.glob(f"{_PREFIX}*"):
        lock = FileLock(folder / _LOCK)
        try:
            found = folder.lstat()
            if not _is_ours(found) or time.time() - found.st_mtime < _YOUNG_SECONDS:
                continue
            lock.acquire(timeout=0)
        except (Timeout, OSError):  # at work, or gone by now
            continue
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def _is_ours(found: os.stat_result) -> bool:
    """Whether it is a folder of this account: another could lay a link in its own, for us to open as a lock."""
    return stat.S_ISDIR(found.st_mode) and (sys.platform == "win32" or found.st_uid == os.geteuid())
