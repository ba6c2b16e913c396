"""What the job on a rented machine does: fetch the recordings, train, compare, and send back what it brought.

Its log carries the run's events, a marked line each; :mod:`ownvoice.workflow.remote` reads them on the person's own.
The machine is taken away at its time limit: training ends so long before that what it learned can be sent and judged.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from ownvoice.errors import DataError, StoppedError
from ownvoice.events import Cursor, Eval, Event, EventLog, Warning, read_tail
from ownvoice.publishing.files import RepoFile
from ownvoice.publishing.push import push
from ownvoice.quantities import counted
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.training.ending import ask
from ownvoice.workflow.job import compare_with_base
from ownvoice.workflow.publish import Account
from ownvoice.workflow.train import go_on

EVENT_MARK = "ownvoice-event "
"""Begins a line of the log that carries an event."""
RESULTS = ("evaluation.json", "evaluation.html")

LEAST_SECONDS, LEAST_SHARE = 120.0, 0.05
"""Of the time limit, kept for installing before and sending after the training."""
COMPARING = 3.0
"""Base and tuned model on the test set, with loading them, in looks of one model at as many phrases of the dev set."""
LOOK_SECONDS = 0.25


def is_ours(path: str) -> bool:
    """Whether a file of a job's repository was put there by ownvoice: all but the Hub's own."""
    return path != ".gitattributes"


def work(
    account: Account,
    repo: str,
    folder: Path,
    write_line: Callable[[str], None],
    *,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Train the run that lies in the private data set ``repo``, and leave the result in the private model ``repo``.

    Parameters
    ----------
    folder
        Where the voice is put.
    write_line
        Takes each event as a line of the log.
    seconds
        After which the machine is taken away.
    clock
        Tells the time, in seconds from anywhere.

    Raises
    ------
    OwnvoiceError
        whatever ended the run; the log says it too.
    """
    hub, began = account.hub, clock()
    hub.call(lambda api: api.snapshot_download(repo, repo_type="dataset", local_dir=folder), where=repo)
    run = VoiceFolder(folder).latest_run()
    if run is None:
        raise DataError("there is no run in this data set", where=repo)
    shown = _Shown(run, write_line)
    limit = _Limit(run, seconds, began + seconds, clock)
    try:
        with limit:
            go_on(run, shown)
    except StoppedError:
        if not (limit.is_near and run.has_model):
            raise
    finally:
        _send_back(account, repo, run)
    try:
        compare_with_base(run, EventLog(run.events, shown))
    finally:
        _send_back(account, repo, run)


def _send_back(account: Account, repo: str, run: RunFolder) -> None:
    """Leave what there is so far in the private model; what is there already is not sent again."""
    if run.has_model:
        account.hub.ensure_repo("model", repo, public=False)
        push(account.hub, "model", repo, tuple(_results(run)), "What the training brought", ours=is_ours)


class _Limit:
    """While this block lasts, a training is ended in time before its machine is taken away."""

    def __init__(self, run: RunFolder, seconds: float, ends: float, clock: Callable[[], float]) -> None:
        self._run, self._seconds, self._ends, self._clock = run, seconds, ends, clock
        self._over = threading.Event()
        self.is_near = False
        """Whether that happened."""

    def __enter__(self) -> Self:
        threading.Thread(target=self._watch, name="limit", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            if self._clock() >= self._ends - self._needed():
                self.is_near = True
                hours = counted(round(self._seconds / 3600, 2), "hour")
                note = f"The time limit of {hours} came near, so the training was ended. The best model so far is kept."
                EventLog(self._run.events).emit(Warning(note))
                ask(self._run, "cancel")
                return

    def _needed(self) -> float:
        """Seconds that sending and comparing take, told by the last look at the dev set; never over half of all."""
        looks = [
            record.event.seconds for record in read_tail(self._run.events).records if isinstance(record.event, Eval)
        ]
        split = json.loads(self._run.split.read_text(encoding="utf-8")) if looks else {"dev": [""], "test": []}
        comparing = COMPARING * max(looks, default=0.0) * len(split["test"]) / max(1, len(split["dev"]))
        return min(max(LEAST_SECONDS, LEAST_SHARE * self._seconds) + comparing, self._seconds / 2)


class _Shown:
    """Writes each event of a run to the log, as it is in the run's file."""

    def __init__(self, run: RunFolder, write_line: Callable[[str], None]) -> None:
        self._run, self._write_line, self._cursor = run, write_line, Cursor()
        self._told: set[str] = set()

    def __call__(self, event: Event) -> None:
        tail = read_tail(self._run.events, self._cursor)
        self._cursor = tail.cursor
        for record in tail.records:
            line = json.dumps(record.to_json())
            if line not in self._told:  # the file may have been written anew
                self._told.add(line)
                self._write_line(EVENT_MARK + line)


def _results(run: RunFolder) -> Iterator[RepoFile]:
    for folder in (run.adapter, run.model):
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.is_file():
                yield RepoFile(path.relative_to(run.path).as_posix(), path)
    for name in RESULTS:
        if (run.path / name).is_file():
            yield RepoFile(name, run.path / name)
