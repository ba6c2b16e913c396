"""Typed progress events of a training run: one JSON line each in ``RUN/events.jsonl``.

The command line's bar, the app's page and the tests read these and never a log's text. A line is
``{"event": "step", "time": "2026-01-01T12:00:00+00:00", ...fields}``; new fields may be added, none renamed.
Nothing here prints or draws.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from ownvoice.errors import ManifestError, storage_faults
from ownvoice.rundir import write_atomically


@dataclass(frozen=True)
class Event:
    """Base of all events; ``name`` is the value of the line's ``event`` key."""

    name: ClassVar[str] = "event"


@dataclass(frozen=True)
class Prepare(Event):
    """So many of the run's recordings are decoded and turned into features, or found in the cache."""

    name: ClassVar[str] = "prepare"
    done: int
    total: int


@dataclass(frozen=True)
class Start(Event):
    """Training starts or goes on."""

    name: ClassVar[str] = "start"
    steps: int
    """Optimiser steps in the whole run."""
    step: int
    """Steps already done: 0, or the step a resumed run goes on from."""
    device: str
    dtype: str
    train: int
    """Utterances trained on."""
    dev: int
    """Utterances that choose the checkpoint."""
    trainable: int
    """Trained parameters."""


@dataclass(frozen=True)
class Step(Event):
    """One optimiser step is done."""

    name: ClassVar[str] = "step"
    step: int
    epoch: float
    loss: float
    """Mean negative log-likelihood of a label token (nats) over the step's utterances."""
    learning_rate: float
    grad_norm: float
    seconds: float
    """Wall time of this step."""


@dataclass(frozen=True)
class Eval(Event):
    """The dev set was transcribed."""

    name: ClassVar[str] = "eval"
    step: int
    dev_wer: float
    dev_cer: float
    dev_loss: float
    best: bool
    """Whether this is the best so far: lowest WER, ties by lower loss."""


@dataclass(frozen=True)
class Checkpoint(Event):
    """A state that ``--resume`` can go on from is on disk."""

    name: ClassVar[str] = "checkpoint"
    step: int
    path: str


@dataclass(frozen=True)
class Warning(Event):
    """Something a person should know that did not stop the run."""

    name: ClassVar[str] = "warning"
    message: str


@dataclass(frozen=True)
class Done(Event):
    """The run ended well."""

    name: ClassVar[str] = "done"
    step: int
    best_step: int
    dev_wer: float
    loss: float
    """Training loss of the last step."""
    seconds: float
    stopped_early: bool


@dataclass(frozen=True)
class Failed(Event):
    """The run ended without finishing; ``message`` says what, where and how to mend it."""

    name: ClassVar[str] = "failed"
    step: int
    message: str


_TYPES = {kind.name: kind for kind in (Prepare, Start, Step, Eval, Checkpoint, Warning, Done, Failed)}

Listener = Callable[[Event], None]

StageProgress = Callable[[str, int, int | None], None]
"""Told how far something is that is no training: its name, how much is done, and how much there is where known."""


class EventLog:
    """Appends events to a file and tells each listener; a line is flushed before ``emit`` returns."""

    def __init__(self, path: Path, *listeners: Listener) -> None:
        self._path = path
        self._listeners = listeners

    def emit(self, event: Event) -> None:
        line = json.dumps(
            {
                "event": event.name,
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                **dataclasses.asdict(event),
            }
        )
        with storage_faults(self._path), self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        for listener in self._listeners:
            listener(event)

    def rewind(self, step: int) -> None:
        """Forget what happened after ``step``, so that a resumed run records no step twice."""
        kept = [line for line, event in _lines(self._path) if getattr(event, "step", 0) <= step]
        write_atomically(self._path, "".join(kept))


def read_events(path: Path) -> list[Event]:
    """All events written so far; a last line cut by a crash is left out.

    Raises
    ------
    ManifestError
        when a line other than the last is not an event.
    """
    return [event for _, event in _lines(path)]


def _lines(path: Path) -> Iterator[tuple[str, Event]]:
    if not path.is_file():
        return
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for number, line in enumerate(lines, 1):
        try:
            fields = json.loads(line)
            kind = _TYPES[fields.pop("event")]
            known = {field.name for field in dataclasses.fields(kind)}
            event = kind(**{key: value for key, value in fields.items() if key in known})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if number == len(lines):
                return
            raise ManifestError(f"line {number} is not an event", where=path) from error
        yield line, event
