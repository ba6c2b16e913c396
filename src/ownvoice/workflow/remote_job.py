"""What the job on a rented machine does: fetch the recordings, train, compare, and send back what it brought.

Its log carries the run's events, a marked line each; :mod:`ownvoice.workflow.remote` reads them on the person's own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from ownvoice.errors import DataError
from ownvoice.events import Cursor, Event, EventLog, read_tail
from ownvoice.publishing.files import RepoFile
from ownvoice.publishing.push import push
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.workflow.job import compare_with_base
from ownvoice.workflow.publish import Account
from ownvoice.workflow.train import go_on

EVENT_MARK = "ownvoice-event "
"""Begins a line of the log that carries an event."""
RESULTS = ("evaluation.json", "evaluation.html")


def is_ours(path: str) -> bool:
    """Whether a file of a job's repository was put there by ownvoice: all but the Hub's own."""
    return path != ".gitattributes"


def work(account: Account, repo: str, folder: Path, write_line: Callable[[str], None]) -> None:
    """Train the run that lies in the private data set ``repo``, and leave the result in the private model ``repo``.

    Parameters
    ----------
    folder
        Where the voice is put.
    write_line
        Takes each event as a line of the log.

    Raises
    ------
    OwnvoiceError
        whatever ended the run; the log says it too.
    """
    hub = account.hub
    hub.call(lambda api: api.snapshot_download(repo, repo_type="dataset", local_dir=folder), where=repo)
    run = VoiceFolder(folder).latest_run()
    if run is None:
        raise DataError("there is no run in this data set", where=repo)
    shown = _Shown(run, write_line)
    try:
        go_on(run, shown)
        compare_with_base(run, EventLog(run.events, shown))
    finally:
        if run.adapter.is_dir() or run.model.is_dir():
            hub.ensure_repo("model", repo, public=False)
            message = "What the training brought"
            push(hub, "model", repo, tuple(_results(run)), message, ours=is_ours)


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
