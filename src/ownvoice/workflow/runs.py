"""Runs as a person handles them in the app: start, pause, cancel, go on, try again, look.

Each run is trained by a process of its own (:mod:`ownvoice.workflow.job`) that outlives whoever called these functions.
They return at once, load no torch, and keep nothing in memory: another process, or the same one started anew, finds
every run as it is.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ownvoice import events
from ownvoice.config import TrainingSettings, merged
from ownvoice.data.split import Split, save_split
from ownvoice.errors import StorageError, TrainingError
from ownvoice.events import EventLog
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.training.durable import is_held
from ownvoice.training.ending import GRACE_SECONDS, Wish, ask, forget_wish
from ownvoice.workflow import queue
from ownvoice.workflow.remote_record import works_elsewhere
from ownvoice.workflow.run_view import RunView, RunWatch

END_SECONDS = GRACE_SECONDS + 2
"""A process that has written its last word is gone within this time."""


def start(voice: VoiceFolder, settings: TrainingSettings, split: Split | None = None) -> RunFolder:
    """Make a run and put it into the queue; it trains when its turn comes and is then compared with its base.

    Parameters
    ----------
    split
        Which utterances train, choose and judge; left out, the voice is split when its turn comes.

    Raises
    ------
    DataError
        when this is no voice folder.
    StorageError
        when the disk is full or the folder cannot be written.
    """
    run = voice.require().new_run()
    settings.save(run.config)
    if split:
        save_split(run, split)
    _enter(run, "train")
    return run


def resume(run: RunFolder) -> None:
    """Put a run that ended into the queue again: it goes on from its last checkpoint, or with its evaluation.

    Raises
    ------
    TrainingError
        when it still works, or there is nothing left to do.
    """
    _require_over(run)
    view = RunWatch(run).look()
    if not view.can_resume:
        raise TrainingError("this run is finished", where=run.path, mend="Start a new run.")
    _enter(run, "evaluate" if view.story.trained else "train")


def evaluate(run: RunFolder) -> None:
    """Compare what a run has trained so far with its base, as a cancelled run has not been; it waits for its turn.

    Raises
    ------
    TrainingError
        when it still works, or has no model yet.
    """
    _require_over(run)
    if not RunWatch(run).look().has_model:
        raise TrainingError("this run has no trained model yet", where=run.path, mend="Go on with it.")
    _enter(run, "evaluate")


def retry(run: RunFolder, changes: Mapping[str, Any]) -> RunFolder:
    """Start a new run with the settings of ``run`` and some of them changed: ``{"lora": {"rank": 8}}``.

    Raises
    ------
    ConfigError
        when a changed setting is wrong.
    """
    settings = TrainingSettings.load(run.require().config)
    return start(run.voice, TrainingSettings.make(merged(settings.model_dump(), changes)))


def pause(run: RunFolder) -> None:
    """Have a run stop so that it can go on: within five seconds it holds nothing of the machine.

    Raises
    ------
    TrainingError
        when it does not work.
    """
    _stop(run, "pause")


def cancel(run: RunFolder) -> None:
    """End a run within five seconds, keeping the best model so far; it could still go on.

    Raises
    ------
    TrainingError
        when it does not work.
    """
    _stop(run, "cancel")


def find(voice: VoiceFolder, name: str) -> RunFolder:
    """The run called ``name``, a name that may come from anywhere.

    Raises
    ------
    TrainingError
        when the voice has no such run.
    """
    for run in voice.started_runs():
        if run.path.name == name:
            return run
    raise TrainingError("there is no such run", where=name, mend="Choose one from the list of runs.")


def runs_of(voice: VoiceFolder) -> list[RunView]:
    """How every run of a voice stands, the newest first."""
    return [RunWatch(run).look() for run in reversed(voice.started_runs())]


def in_queue(voices: Path) -> list[RunView]:
    """The runs below ``voices`` that wait for the device, in the order of their turns; each with its position."""
    waiting = queue.tickets(VoiceFolder(voices / "any").queue)
    before = 1 if is_held(VoiceFolder(voices / "any").queue / ".device") else 0
    return [replace(RunWatch(ticket.run).look(), position=place + before) for place, ticket in enumerate(waiting)]


def _enter(run: RunFolder, work: queue.Work) -> None:
    forget_wish(run)
    EventLog(run.events).emit(events.Queued(work))
    queue.enter(run, work)


def _stop(run: RunFolder, wish: Wish) -> None:
    if queue.leave(run):
        log = EventLog(run.events)
        log.emit(events.Paused(0) if wish == "pause" else events.Cancelled(0))
    elif _works(run):
        ask(run, wish)
    else:
        raise TrainingError("this run does not work any more", where=run.path)


def _works(run: RunFolder) -> bool:
    return is_held(run.job_lock) or is_held(run.lock) or works_elsewhere(run)


def _require_over(run: RunFolder) -> None:
    """Wait for a process that has said its last word and is not gone yet; throw away the ticket of one that died."""
    ticket = queue.ticket_of(run.require())
    if ticket is not None and ticket.is_awaited:
        raise TrainingError("this run is waiting for its turn already", where=run.path)
    queue.leave(run)
    until = time.monotonic() + (END_SECONDS if RunWatch(run).look().is_over else 0)
    while _works(run):
        if time.monotonic() > until:
            raise StorageError("this run is still at work", where=run.path, mend="Pause or cancel it first.")
        time.sleep(0.1)
