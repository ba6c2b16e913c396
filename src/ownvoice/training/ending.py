"""How a run ends before its time: a person pauses or cancels it, it fails, or the process is told to stop.

Whatever happens, the last event says it and why, also when the disk is full. Saving the model belongs to
:mod:`ownvoice.training.loop`. A run may be killed at any moment without harm; that is what makes it possible to keep
the promise that a wish is heeded within seconds, whatever the run is doing (:class:`Deadline`).
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Literal, Self, get_args

from ownvoice import events
from ownvoice.errors import (
    DataError,
    DiskFullError,
    DivergedError,
    MemoryShortageError,
    OwnvoiceError,
    ProcessLostError,
    StoppedError,
    StorageError,
    is_memory_shortage,
)
from ownvoice.events import EventLog, FailureKind, StageName
from ownvoice.rundir import RunFolder, write_atomically

Wish = Literal["pause", "cancel"]

GRACE_SECONDS = 2.5
"""Time a run has to save its state after a wish before it is ended as it is; with the time to notice, under five."""
LOOK_SECONDS = 0.25

RESERVE_BYTES = 64 * 1024
"""More than any event, and a block on every file system."""
_EVENTS: dict[Wish, type[events.Paused | events.Cancelled]] = {"pause": events.Paused, "cancel": events.Cancelled}
_ending = threading.Lock()  # a run ends once: by its own work or by the deadline


def ask(run: RunFolder, wish: Wish) -> None:
    """Ask a working run to pause or to end; it does so within five seconds.

    Raises
    ------
    StorageError
        when the wish cannot be written.
    """
    write_atomically(run.wish, wish)


def wish_of(run: RunFolder) -> Wish | None:
    """What the run was asked for and has not done yet."""
    try:
        text = run.wish.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return next((wish for wish in get_args(Wish) if wish == text), None)


def heed(run: RunFolder) -> None:
    """To be called wherever a run can stop: between steps, batches, recordings.

    Raises
    ------
    StoppedError
        when a person wants the run to pause or to end.
    """
    wish = wish_of(run)
    if wish is not None:
        said = "paused" if wish == "pause" else "cancelled"
        raise StoppedError(f"the run was {said}", where=run.path, mend="It goes on with --resume.")


def forget_wish(run: RunFolder) -> None:
    """The wish is done, or the run goes on all the same."""
    run.wish.unlink(missing_ok=True)


class Ending:
    """Within this block, whatever ends the run early is written as its last event, and goes on to the caller.

    Memory that runs out leaves as :class:`~ownvoice.errors.MemoryShortageError`; other exceptions as they are.
    """

    def __init__(self, run: RunFolder, log: EventLog, stage: StageName, utterances: Mapping[str, str]) -> None:
        """``utterances`` gives the id of the recording at each path, so that a failure can name it."""
        self._run, self._log, self._utterances = run, log, utterances
        self.stage = stage
        """What is being done; a failure is said to be of it."""

    def __enter__(self) -> Self:
        write_atomically(self._run.reserve, bytes(RESERVE_BYTES))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run.reserve.unlink(missing_ok=True)
        match error:
            case None | SystemExit():
                return
            case StoppedError():
                end_by_wish(self._run, self._log)
            case KeyboardInterrupt():
                self._tell(events.Interrupted(last_step(self._run)))
            case OwnvoiceError():
                self._fail(error)
            case _ if is_memory_shortage(error):
                shortage = MemoryShortageError(
                    "there is too little memory for this run",
                    mend="Start a run with half the batch_size and twice the accumulate, or with a smaller base model.",
                )
                self._fail(shortage)
                raise shortage from error
            case _:
                self._fail(error)

    def _fail(self, error: BaseException) -> None:
        message = str(error) if isinstance(error, OwnvoiceError) else f"{type(error).__name__}: {error}"
        where = error.where if isinstance(error, OwnvoiceError) else None
        self._tell(
            events.Failed(
                step=last_step(self._run),
                message=message,
                kind=failure_kind(error),
                stage=self.stage,
                utterance=self._utterances.get(where or "", ""),
            )
        )

    def _tell(self, event: events.Event) -> None:
        with contextlib.suppress(StorageError):  # another program may have taken the room kept in reserve
            self._log.emit(event)


class Deadline:
    """While this block lasts, a wish not heeded in :data:`GRACE_SECONDS` ends the whole process.

    Only for a process that does nothing but this run: loading a large model, or one long step, cannot be stopped
    otherwise. What was saved last is what the run goes on from.
    """

    def __init__(self, run: RunFolder, log: EventLog) -> None:
        self._run, self._log = run, log
        self._over = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._watch, name="deadline", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _watch(self) -> None:
        since: float | None = None
        while not self._over.wait(LOOK_SECONDS):
            if wish_of(self._run) is None:
                since = None
            elif since is None:
                since = time.monotonic()
            elif time.monotonic() - since > GRACE_SECONDS and end_by_wish(self._run, self._log):
                self._run.reserve.unlink(missing_ok=True)
                os._exit(0)


def end_by_wish(run: RunFolder, log: EventLog) -> bool:
    """Write that the run was paused or cancelled, and forget the wish; False when that was done already."""
    with _ending:
        wish = wish_of(run)
        if wish is None:
            return False
        saved = [event.step for event in events.read_events(run.events) if isinstance(event, events.Checkpoint)]
        with contextlib.suppress(StorageError):
            log.emit(_EVENTS[wish](max(saved, default=0)))
        forget_wish(run)
        return True


def failure_kind(error: BaseException) -> FailureKind:
    """The class of a failure, by the type of what was raised."""
    match error:
        case MemoryShortageError():
            return "out_of_memory"
        case DivergedError():
            return "nan_loss"
        case DiskFullError():
            return "disk_full"
        case DataError():
            return "bad_data"
        case ProcessLostError():
            return "worker_killed"
    return "other"


def last_step(run: RunFolder) -> int:
    """The last optimiser step that was recorded."""
    return max((event.step for event in events.read_events(run.events) if isinstance(event, events.Step)), default=0)
