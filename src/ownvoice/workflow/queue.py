"""One run at a time: the others wait in a queue that a person can see and that no restart loses.

A ticket in ``VOICES/.queue`` is a run that waits. A process of its own waits for each (:mod:`ownvoice.workflow.job`);
the one whose ticket is the oldest takes the lock of the device when it is free, and throws its ticket away. A waiting
process that was killed leaves its ticket: the others pass over it, and :func:`revive`, which the app calls when it
starts and each job when it ends, starts a process for it again. A run that was killed while it worked has no ticket, so
what kills a machine is not tried again and again by itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ownvoice.rundir import RunFolder, VoiceFolder, write_atomically
from ownvoice.training.durable import held, is_held
from ownvoice.workflow.launch import launch

Work = Literal["train", "evaluate"]

POLL_SECONDS = 0.5
START_SECONDS = 30.0
"""A process that was started waits within this time, also on a busy machine; until then its turn is kept for it."""


@dataclass(frozen=True)
class Ticket:
    """A run that waits for its turn."""

    path: Path
    run: RunFolder
    work: Work
    """All of it, or only the evaluation of what was trained."""

    @property
    def is_awaited(self) -> bool:
        """Whether a process waits for its turn, or is just being started to."""
        with contextlib.suppress(FileNotFoundError):
            if time.time() - self.path.stat().st_mtime < START_SECONDS:
                return True
        return is_held(self.run.job_lock)


def enter(run: RunFolder, work: Work) -> None:
    """Put a run at the end of the queue and start the process that waits for it.

    Raises
    ------
    StorageError
        when the disk is full or the folder cannot be written.
    """
    name = f"{time.time_ns():020d}-{secrets.token_hex(2)}.json"
    content = {"voice": run.voice.path.resolve().name, "run": run.path.resolve().name, "work": work}
    write_atomically(run.voice.queue / name, json.dumps(content) + "\n")
    _launch(run)


def leave(run: RunFolder) -> bool:
    """Take a run out of the queue; False where it does not wait, because its turn came or for another reason."""
    ticket = ticket_of(run)
    return ticket is not None and _take(ticket)


def tickets(queue: Path) -> list[Ticket]:
    """The waiting runs of ``VOICES/.queue`` in the order of their turns; tickets of deleted runs are removed."""
    found = []
    for path in sorted(queue.glob("*.json")):
        ticket = _read(path)
        if ticket is not None:
            found.append(ticket)
        else:
            path.unlink(missing_ok=True)
    return found


def ticket_of(run: RunFolder) -> Ticket | None:
    """The run's ticket, where it waits."""
    return next((ticket for ticket in tickets(run.voice.queue) if ticket.run.path == run.path.resolve()), None)


@contextmanager
def turn(run: RunFolder) -> Iterator[Work | None]:
    """Wait for this run's turn, and hold the device within the block; None where it was taken out of the queue."""
    while (ticket := ticket_of(run)) is not None:
        if _is_first(ticket):
            with held(run.voice.queue / ".device") as is_free:
                if is_free:
                    yield ticket.work if _take(ticket) else None
                    return
        time.sleep(POLL_SECONDS)
    yield None


def revive(voices: Path) -> None:
    """Start a process for each waiting run below ``voices`` that has none any more."""
    for ticket in tickets(VoiceFolder(voices / "any").queue):
        if not is_held(ticket.run.job_lock):
            with contextlib.suppress(FileNotFoundError):
                os.utime(ticket.path)
            _launch(ticket.run)


def _take(ticket: Ticket) -> bool:
    """Throw a ticket away; False where somebody else did, who then decides what becomes of the run."""
    try:
        ticket.path.unlink()
    except FileNotFoundError:
        return False
    return True


def _is_first(ticket: Ticket) -> bool:
    """Whether every ticket before it has lost its process."""
    for other in tickets(ticket.path.parent):
        if other.path == ticket.path:
            return True
        if other.is_awaited:
            return False
    return False


def _read(path: Path) -> Ticket | None:
    """The ticket at ``path``, or None where it is damaged or its run is gone."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        names = Path(content["voice"]), Path(content["run"])
        work: Work = "evaluate" if content["work"] == "evaluate" else "train"
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if any(len(name.parts) != 1 or name.name in ("", "..") for name in names):
        return None
    run = VoiceFolder(path.resolve().parent.parent / names[0]).runs / names[1]
    return Ticket(path, RunFolder(run), work) if RunFolder(run).config.is_file() else None


def _launch(run: RunFolder) -> None:
    launch(["train", str(run.path.resolve()), "--job"], run.log)
