"""Ends a training on a rented machine: fetches what it brought, writes the run's last word, tidies the Hub."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ownvoice import events
from ownvoice.errors import TrainingError
from ownvoice.events import EventLog, read_tail
from ownvoice.publishing.jobs import JobState
from ownvoice.publishing.repository import RepoKind
from ownvoice.quantities import counted
from ownvoice.rundir import RunFolder, write_atomically
from ownvoice.training.durable import place_folder
from ownvoice.training.ending import forget_wish, last_step
from ownvoice.workflow.publish import Account
from ownvoice.workflow.remote_job import RESULTS
from ownvoice.workflow.remote_record import Remote, write_remote


def finish(
    account: Account, run: RunFolder, remote: Remote, state: JobState, said: Iterable[str], log: EventLog
) -> None:
    """Fetch what there is, write the run's last word, and leave nothing on the Hub that shall not stay.

    Parameters
    ----------
    said
        The last lines of the job's log that were no events.

    Raises
    ------
    HubError
        when the Hub refuses; called again, it goes on.
    TrainingError
        when the job was cancelled, or brought no model.
    """
    if account.hub.state("model", remote.repo) is not None:
        _fetch(account, run, remote.repo)
    _write_end(run, remote, state, said, log)
    forget_wish(run)
    if not remote.keeps:
        kinds: tuple[RepoKind, ...] = ("dataset", "model")
        for kind in kinds:
            if account.hub.state(kind, remote.repo) is not None:
                account.hub.delete(kind, remote.repo)
    write_remote(run, replace(remote, is_over=True))
    last = read_tail(run.events).records[-1].event
    if state.stage == "CANCELED":
        raise TrainingError("the job was cancelled", where=run.path, mend="Start a new run.")
    if isinstance(last, events.Failed):
        raise TrainingError(f"the job on the Hub failed: {last.message}", where=run.path)
    if not run.has_model:
        raise TrainingError("the job was ended before there was a model", where=run.path, mend=_MORE_TIME)


def _write_end(run: RunFolder, remote: Remote, state: JobState, said: Iterable[str], log: EventLog) -> None:
    """The last event, where the job itself could not write it."""
    told = read_tail(run.events).records
    last = told[-1].event if told else None
    if state.stage == "CANCELED":
        log.emit(events.Cancelled(last_step(run)))
    elif isinstance(last, events.Failed | events.Cancelled) or (state.stage == "COMPLETED" and run.has_model):
        return
    elif _reached_limit(state) and run.has_model:
        log.emit(
            events.Warning("The machine's time was over before the models were compared. What it learned is here.")
        )
        log.emit(events.Cancelled(last_step(run)))
    else:
        log.emit(events.Failed(last_step(run), _reason(remote, state, said)))


_MORE_TIME = "Start a new run with more time (--hours), on a faster machine, or with fewer epochs."


def _reached_limit(state: JobState) -> bool:
    return "timeout" in state.message.lower()


def _reason(remote: Remote, state: JobState, said: Iterable[str]) -> str:
    if _reached_limit(state):
        return f"the job was ended at its time limit of {counted(remote.seconds / 3600, 'hour')}\n{_MORE_TIME}"
    end = "".join(f"\n  | {line}" for line in said)
    return f"the job ended before it was done ({state.message or state.stage.lower()})\nThe end of its log:{end}"


def _fetch(account: Account, run: RunFolder, repo: str) -> None:
    """Put the trained model and its figures into the run, whole or not at all."""
    with tempfile.TemporaryDirectory(dir=run.path, prefix=".fetched-") as folder:
        place = Path(folder)
        account.hub.call(lambda api: api.snapshot_download(repo, local_dir=place), where=repo)
        for final in (run.adapter, run.model):
            if (place / final.name).is_dir() and not final.is_dir():
                place_folder(final, lambda new, name=final.name: _copy(place / name, new))  # type: ignore[misc]
        for name in RESULTS:
            if (place / name).is_file():
                write_atomically(run.path / name, (place / name).read_bytes())


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, dirs_exist_ok=True)
