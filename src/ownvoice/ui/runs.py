"""Runs as pages know them: named in a path, looked at again and again, with an address and a date."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends

from ownvoice.errors import TrainingError
from ownvoice.rundir import RunFolder
from ownvoice.ui.access import Voice
from ownvoice.ui.frame import PageError
from ownvoice.workflow import runs
from ownvoice.workflow.run_view import RunView, RunWatch

WATCHED = 64
"""Runs whose story is kept in memory, so that a question reads only what is new."""


def run_of(voice: Voice, run: str) -> RunFolder:
    """The run named in the path, of the voice named in the path.

    Raises
    ------
    PageError
        404 when there is none of that name.
    """
    try:
        return runs.find(voice, run)
    except TrainingError as error:
        raise PageError(404, error.what, mend=error.mend) from None


Run = Annotated[RunFolder, Depends(run_of)]


class Watches:
    """The watches of the runs looked at last; safe for the server's threads."""

    def __init__(self) -> None:
        self._watches: OrderedDict[Path, RunWatch] = OrderedDict()
        self._looking = threading.Lock()

    def look(self, run: RunFolder) -> RunView:
        """How the run stands now."""
        with self._looking:
            watch = self._watches.pop(run.path, None) or RunWatch(run)
            self._watches[run.path] = watch
            if len(self._watches) > WATCHED:
                self._watches.popitem(last=False)
            return watch.look()


watches = Watches()


def address_of(run: RunFolder) -> str:
    """The page of a run."""
    return f"/voices/{quote(run.voice.path.name)}/runs/{quote(run.path.name)}"


def date_of(view: RunView) -> str:
    """When a run was started, by this computer's clock; alike in every language."""
    started = view.story.first
    return f"{started.astimezone():%Y-%m-%d %H:%M}" if started else view.run.path.name
