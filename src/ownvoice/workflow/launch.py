"""Starts a command of ownvoice as a process of its own, which no closing of a page, a server or a terminal ends.

What becomes of it is read from the files it writes. Tokens go to it by its environment, never by its arguments.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ownvoice.credentials import Tokens
from ownvoice.errors import storage_faults


def launch(arguments: Sequence[str], log: Path, tokens: Tokens | None = None) -> None:
    """Start ``ownvoice ARGUMENTS``, and return at once.

    Parameters
    ----------
    log
        What it prints is added to this file, which only this person may read.

    Raises
    ------
    StorageError
        when the disk is full or the folder cannot be written.
    """
    with storage_faults(log):
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        subprocess.Popen(  # noqa: S603 (our own program, and arguments that were checked)
            [sys.executable, "-m", "ownvoice", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            env=tokens.environment() if tokens else None,
            start_new_session=True,
        )
    finally:
        os.close(descriptor)
