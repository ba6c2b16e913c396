"""A first transcript of uploaded recordings by the voice's own model, for the person to correct.

The model runs in a process of its own (``ownvoice transcribe --json``), so whoever asks needs no torch and stays
responsive. It writes into the batch's folder: what it heard is there even when the asking process has ended meanwhile.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from ownvoice.data.upload_words import match_words, propose_words
from ownvoice.errors import ModelError, storage_faults
from ownvoice.rundir import RunFolder, UploadFolder, VoiceFolder
from ownvoice.workflow.complaint import complaint_in
from ownvoice.workflow.models import mine


@dataclass(frozen=True)
class DraftState:
    """How far a draft is."""

    state: Literal["none", "running", "failed"]
    reason: str | None = None
    """What the model's process complained of last, where it failed."""


def current_model(voice: VoiceFolder) -> RunFolder | None:
    """The run whose model the person made theirs, else the latest run of ``voice`` that has trained one."""
    runs = [run for run in voice.started_runs() if run.has_model]
    own = mine(voice)
    return own if own in runs else runs[-1] if runs else None


class Drafts:
    """The drafts one server process is having made: one at a time, since each fills a machine's memory with a model."""

    def __init__(self) -> None:
        self._running: tuple[Path, subprocess.Popen[bytes]] | None = None

    def start(self, upload: UploadFolder, voice: VoiceFolder) -> None:
        """Have every recording of the batch that lacks words transcribed.

        Raises
        ------
        ModelError
            when the voice has no model yet, or another draft is being made.
        StorageError
            when the batch's folder cannot be written.
        """
        run = current_model(voice)
        if run is None:
            raise ModelError("this voice has no model yet", mend="Write the words yourself, or teach the model first.")
        if self._running is not None and self._running[1].poll() is None:
            raise ModelError("another draft is being made", mend="Wait until it is done.")
        wavs = [upload.wav(row.file.number).name for row in match_words(upload).waiting()]
        if not wavs:
            return
        command = [sys.executable, "-m", "ownvoice", "transcribe", "--json", "--model", str(run.path.resolve()), *wavs]
        with storage_faults(upload.path), _private(upload.draft) as out, _private(upload.draft_log) as complaints:
            process = subprocess.Popen(  # noqa: S603 - our own command, with file names of our own
                command, cwd=upload.path, stdin=subprocess.DEVNULL, stdout=out, stderr=complaints
            )
        self._running = (upload.path, process)

    def stop(self, upload: UploadFolder | None = None) -> None:
        """End the draft of this batch, or whichever is being made; what it had is dropped."""
        if self._running is None or (upload is not None and self._running[0] != upload.path):
            return
        path, process = self._running
        process.terminate()
        process.wait()
        self._running = None
        _forget(UploadFolder(path))

    def collect(self, upload: UploadFolder) -> DraftState:
        """Take over what the model heard, once it is done, and say how far it is."""
        if self._running is not None and self._running[0] == upload.path and self._running[1].poll() is None:
            return DraftState("running")
        if not upload.draft.exists():
            return DraftState("none")
        try:
            rows = json.loads(upload.draft.read_bytes())
        except ValueError:  # it ended, or was ended, before it had written all
            return DraftState("failed", complaint_in(upload.draft_log.read_bytes()))
        propose_words(upload, {int(Path(row["audio"]).stem): row["text"] for row in rows})
        _forget(upload)
        return DraftState("none")


def _private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _forget(upload: UploadFolder) -> None:
    upload.draft.unlink(missing_ok=True)
    upload.draft_log.unlink(missing_ok=True)
