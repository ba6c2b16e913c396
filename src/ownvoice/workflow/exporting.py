"""Exports that the app asks for: each in a process of its own, one at a time, since each fills a machine's memory.

What an export is, is told by :mod:`ownvoice.workflow.export`; this starts ``ownvoice export`` and says how far it is.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from ownvoice.errors import ModelError
from ownvoice.rundir import RunFolder
from ownvoice.workflow.complaint import complaint_in
from ownvoice.workflow.export import FORMATS, ExportFormat


@dataclass(frozen=True)
class ExportState:
    """How one form of a run stands."""

    form: ExportFormat
    state: Literal["none", "running", "done", "failed"]
    folder: Path
    reason: str | None = None
    """What the process complained of, where it failed."""


@dataclass(frozen=True)
class _Job:
    run: Path
    form: ExportFormat
    process: subprocess.Popen[bytes]
    complaints: IO[bytes]


class Exports:
    """The exports one server process is having made."""

    def __init__(self) -> None:
        self._job: _Job | None = None

    def start(self, run: RunFolder, form: ExportFormat) -> None:
        """Have a run written in another form; nothing happens where it is there already.

        Raises
        ------
        ModelError
            when another export is being made.
        """
        if run.export(form).is_dir():
            return
        if self._job is not None and self._job.process.poll() is None:
            raise ModelError("another export is being made", mend="Wait until it is done.")
        complaints = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the process runs)
        process = subprocess.Popen(  # noqa: S603 (our own program, and a path that was checked)
            [sys.executable, "-m", "ownvoice", "export", str(run.require().path.resolve()), "--format", form],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
        )
        self._job = _Job(run.path, form, process, complaints)

    def states(self, run: RunFolder) -> list[ExportState]:
        """Every form of a run."""
        return [self._state(run, form) for form in FORMATS]

    def _state(self, run: RunFolder, form: ExportFormat) -> ExportState:
        folder, job = run.export(form), self._job
        if job is not None and (job.run, job.form) == (run.path, form):
            if job.process.poll() is None:
                return ExportState(form, "running", folder)
            if job.process.returncode:
                job.complaints.seek(0)
                return ExportState(form, "failed", folder, complaint_in(job.complaints.read()))
        return ExportState(form, "done" if folder.is_dir() else "none", folder)
