"""The models a person has trained: what each takes and is worth, which one is theirs, and deleting one with undo.

A deleted run is moved whole into ``VOICE/runs/.trash`` and is gone only when that is asked for. Recordings are never
touched. Copies for other programs are made by :mod:`ownvoice.workflow`'s export.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime

from ownvoice.errors import StorageError, TrainingError, storage_faults
from ownvoice.rundir import RunFolder, VoiceFolder, sync_folder, write_atomically
from ownvoice.workflow.run_view import RunView
from ownvoice.workflow.runs import find, runs_of

TRASH = ".trash"
"""Folder of deleted runs, beside the others; no run's name begins with a dot."""

_KEY = re.compile(r"(\d{8}-\d{6})\.(.+)")


@dataclass(frozen=True)
class Part:
    """A part of a run's folder, and the bytes it takes."""

    kind: str
    """model, checkpoints (what a run goes on from), export (copies for other programs), evaluation, or rest."""
    bytes: int


@dataclass(frozen=True)
class Model:
    """A run with what it takes on the disk."""

    view: RunView
    is_mine: bool
    parts: tuple[Part, ...]
    """Everything that goes when it is deleted."""

    @property
    def bytes(self) -> int:
        return sum(part.bytes for part in self.parts)

    def to_json(self) -> dict[str, object]:
        """The run's own JSON (:meth:`RunView.to_json`) and ``{"is_mine", "bytes", "parts": [{"kind", "bytes"}]}``."""
        parts = [{"kind": part.kind, "bytes": part.bytes} for part in self.parts]
        return {**self.view.to_json(), "is_mine": self.is_mine, "bytes": self.bytes, "parts": parts}


@dataclass(frozen=True)
class TrashedRun:
    """A deleted run."""

    key: str
    """Its folder in the trash."""
    name: str
    deleted: datetime


def models_of(voice: VoiceFolder) -> list[Model]:
    """All runs of a voice, the newest first, those without a model among them."""
    own = mine(voice)
    return [Model(view, own is not None and view.run.path == own.path, _parts(view.run)) for view in runs_of(voice)]


def mine(voice: VoiceFolder) -> RunFolder | None:
    """The run whose model the person uses; None while none was chosen, or when it is gone."""
    try:
        name = json.loads(voice.mine.read_text(encoding="utf-8"))["run"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return next((run for run in voice.started_runs() if run.path.name == name), None)


def choose(voice: VoiceFolder, name: str) -> None:
    """Make the model of the run ``name`` the one the person uses.

    Raises
    ------
    TrainingError
        when there is no such run, or it has no model yet.
    """
    run = find(voice, name)
    if not run.has_model:
        raise TrainingError("this run has no trained model yet", where=name, mend="Let it train first.")
    write_atomically(voice.mine, json.dumps({"run": name}) + "\n")


def trash_run(voice: VoiceFolder, name: str) -> TrashedRun:
    """Move a run with its model into the trash; :func:`restore_run` brings it back. No recording goes.

    Raises
    ------
    TrainingError
        when there is no such run, or it still works.
    StorageError
        when it cannot be moved.
    """
    run = find(voice, name)
    if not next(view for view in runs_of(voice) if view.run.path.name == name).is_over:
        raise StorageError("this run is still at work", where=name, mend="Cancel it first.")
    deleted = datetime.now(UTC).replace(microsecond=0)
    trashed = TrashedRun(f"{deleted:%Y%m%d-%H%M%S}.{name}", name, deleted)
    trash = voice.runs / TRASH
    with storage_faults(trash):
        trash.mkdir(mode=0o700, exist_ok=True)
        run.path.rename(trash / trashed.key)
        sync_folder(voice.runs)
    return trashed


def list_trashed_runs(voice: VoiceFolder) -> list[TrashedRun]:
    """Every deleted run that can be brought back, the last deleted first."""
    trash = voice.runs / TRASH
    keys = sorted((path.name for path in trash.iterdir()), reverse=True) if trash.is_dir() else []
    found = (match for key in keys if (match := _KEY.fullmatch(key)))
    return [
        TrashedRun(match[0], match[2], datetime.strptime(match[1], "%Y%m%d-%H%M%S").replace(tzinfo=UTC))
        for match in found
    ]


def restore_run(voice: VoiceFolder, key: str) -> str:
    """Bring a deleted run back and return its name.

    Raises
    ------
    TrainingError
        when there is no such run in the trash.
    """
    trashed = _find_trashed(voice, key)
    with storage_faults(voice.runs):
        (voice.runs / TRASH / key).rename(voice.runs / trashed.name)
        sync_folder(voice.runs)
    return trashed.name


def purge_run(voice: VoiceFolder, key: str) -> None:
    """Delete a run in the trash for good.

    Raises
    ------
    TrainingError
        when there is no such run in the trash.
    """
    _find_trashed(voice, key)
    with storage_faults(voice.runs / TRASH):
        shutil.rmtree(voice.runs / TRASH / key)


def _find_trashed(voice: VoiceFolder, key: str) -> TrashedRun:
    for trashed in list_trashed_runs(voice):
        if trashed.key == key:
            return trashed
    raise TrainingError("this run is not in the trash any more", mend="Reload the page.")


def _parts(run: RunFolder) -> tuple[Part, ...]:
    known = {
        run.adapter.name: "model",
        run.model.name: "model",
        run.checkpoints.name: "checkpoints",
        run.export("any").parent.name: "export",
        run.evaluation_json.name: "evaluation",
        run.evaluation_html.name: "evaluation",
    }
    sizes: dict[str, int] = {}
    for path in run.path.rglob("*"):
        if path.is_file() and not path.is_symlink():
            kind = known.get(path.relative_to(run.path).parts[0], "rest")
            sizes[kind] = sizes.get(kind, 0) + path.stat().st_size
    return tuple(Part(kind, size) for kind, size in sorted(sizes.items()))
