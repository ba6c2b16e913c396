"""Copies the figures of a voice's runs into Trackio's store, whose dashboard shows them: one project a voice.

It reads ``events.jsonl`` and never meets a training, so it costs one nothing and can be made anew at any time. The
store lies in the voice's folder (``VOICE/trackio``) and goes with it. Nothing leaves the machine: what would make
Trackio send figures somewhere is taken out of the environment before it is loaded.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ownvoice import events
from ownvoice.config import TrainingSettings
from ownvoice.events import Cursor, Record, read_tail
from ownvoice.rundir import RunFolder, VoiceFolder, make_folder

_REMOTE = ("SPACE_ID", "SERVER_URL", "BUCKET_ID", "DATASET_ID", "WEBHOOK_URL")
"""Settings of the environment (``TRACKIO_...``) that make it send figures somewhere."""


@dataclass(frozen=True)
class Row:
    """Figures of one moment of a run, by the names the dashboard shows."""

    time: str
    step: int
    figures: dict[str, float]


class Tracker:
    """Keeps Trackio's store of one voice up to date; one voice a process, since Trackio knows one folder."""

    def __init__(self, voice: VoiceFolder) -> None:
        """Load Trackio for this voice.

        Raises
        ------
        StorageError
            when the store's folder cannot be made.
        """
        make_folder(voice.tracking)
        self._storage = _load_trackio(voice)
        self._voice = voice
        self.project = project_name(voice)
        self._cursors: dict[str, Cursor] = {}

    def update(self) -> int:
        """Add what runs have recorded since last time, and return how many rows that were.

        A run that went back to a checkpoint is written anew, so that no step stands there twice.
        """
        return sum(self._update_run(run) for run in self._voice.started_runs())

    def _update_run(self, run: RunFolder) -> int:
        name = run.path.name
        known = self._cursors.get(name)
        tail = read_tail(run.events, known)
        if tail.cursor == known:
            return 0
        if known is None or tail.rewritten:
            self._storage.delete_run(self.project, name)
        self._cursors[name] = tail.cursor
        rows = list(_rows(tail.records))
        if rows:
            self._storage.bulk_log(
                self.project,
                name,
                [row.figures for row in rows],
                steps=[row.step for row in rows],
                timestamps=[row.time for row in rows],
                config=_flat_settings(run),
            )
        return len(rows)


def project_name(voice: VoiceFolder) -> str:
    """Trackio's name for a voice: letters, digits and hyphens, which none of its reserved names are made of."""
    return "voice-" + re.sub(r"[^\w-]|_", "-", voice.path.resolve().name)


def _load_trackio(voice: VoiceFolder) -> Any:  # its class SQLiteStorage; Trackio has no types
    for name in _REMOTE:
        os.environ.pop(f"TRACKIO_{name}", None)
    os.environ["TRACKIO_DIR"] = str(voice.tracking.resolve())  # read when Trackio is imported
    from trackio.sqlite_storage import SQLiteStorage

    return SQLiteStorage


def _rows(records: tuple[Record, ...]) -> Iterator[Row]:
    for record in records:
        figures = _figures(record.event)
        if figures:
            yield Row(record.time.isoformat(), record.event.step, figures)  # type: ignore[attr-defined]


def _figures(event: events.Event) -> dict[str, float]:
    match event:
        case events.Step():
            return {
                "loss": event.loss,
                "learning_rate": event.learning_rate,
                "grad_norm": event.grad_norm,
                "clips_per_second": event.clips_per_second,
                "memory_gb": event.memory / 1e9,
            }
        case events.Eval():
            return {"dev_wer": event.dev_wer, "dev_cer": event.dev_cer, "dev_loss": event.dev_loss}
    return {}


def _flat_settings(run: RunFolder) -> dict[str, object]:
    """``{"epochs": 3, "lora.rank": 8}``."""
    flat: dict[str, object] = {}
    for name, value in TrainingSettings.load(run.config).model_dump(mode="json").items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": content for inner, content in value.items()}
        else:
            flat[name] = value
    return flat
