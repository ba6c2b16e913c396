"""Typed progress events of a training run: one JSON line each in ``RUN/events.jsonl``.

The command line's bar, the app's page and the tests read these and never a log's text. A line is
``{"event": "step", "time": "2026-01-01T12:00:00+00:00", ...fields}``; new fields may be added, none renamed.
Nothing here prints or draws. Who follows a run reads with :func:`read_tail` what is new since last time.
"""

from __future__ import annotations

import dataclasses
import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Literal, Self

from ownvoice.errors import ManifestError, storage_faults
from ownvoice.rundir import write_atomically

FailureKind = Literal["out_of_memory", "disk_full", "bad_data", "nan_loss", "worker_killed", "other"]
"""Why a run failed; ``worker_killed`` is written where several processes train a run and one is lost, and otherwise
found by whoever looks for the process and misses it."""

StageName = Literal["check", "load", "prepare", "train", "evaluate"]


@dataclass(frozen=True)
class Event:
    """Base of all events; ``name`` is the value of the line's ``event`` key."""

    name: ClassVar[str] = "event"


@dataclass(frozen=True)
class Queued(Event):
    """The run waits for its turn, for the first time or to go on."""

    name: ClassVar[str] = "queued"
    work: Literal["train", "evaluate"] = "train"


@dataclass(frozen=True)
class Stage(Event):
    """So much of something is done that is neither preparing nor training: checking, loading, evaluating."""

    name: ClassVar[str] = "stage"
    stage: StageName
    note: str = ""
    """What is going on within the stage."""
    done: int = 0
    total: int | None = None


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
    learning_rate: float = 0.0
    """The highest of the run, after the warm-up."""


@dataclass(frozen=True)
class Windows(Event):
    """The base model heard the dev set in whole and in short windows, and so it was decided in which to train."""

    name: ClassVar[str] = "windows"
    chosen: Literal["standard", "short"]
    standard_wer: float
    short_wer: float
    standard_loss: float
    """Mean negative log-likelihood of a label token (nats), in whole windows."""
    short_loss: float
    divergence: float
    """Mean Kullback-Leibler divergence (nats a token) of what is expected in short windows from that in whole ones."""
    loss_difference: float = 0.0
    """Mean over the recordings of how much more a token of what was said costs in short windows (nats)."""
    loss_bound: float | None = None
    """What this is at most, with 95 % confidence; None where fewer than three recordings were heard."""
    why: str = "the base model was asked"

    @property
    def sentence(self) -> str:
        """What was decided, and why, for a person."""
        return f"{'Short' if self.chosen == 'short' else 'Whole'} windows are used: {self.why}."


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
    clips_per_second: float = 0.0
    """Utterances trained on in a second, over the last steps."""
    memory: int = 0
    """Bytes: the most the graphics card held so far; on a CPU, what the process holds now."""
    remaining: float | None = None
    """Seconds to the end of training at this pace, looks at the dev set included; None while nobody knows."""


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
    seconds: float = 0.0
    """Wall time of this look."""
    short_wer: float | None = None
    """WER in short windows, where training has a share of them; the others are in whole windows."""


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
    kind: FailureKind = "other"
    stage: StageName = "train"
    """Where it failed; a run that failed in its evaluation has a trained model."""
    utterance: str = ""
    """Id of the recording that is to blame, where one is."""


@dataclass(frozen=True)
class Paused(Event):
    """A person paused the run; it holds nothing of the machine and goes on from this step when asked."""

    name: ClassVar[str] = "paused"
    step: int


@dataclass(frozen=True)
class Cancelled(Event):
    """A person ended the run; the best model so far is kept, and it could go on from this step."""

    name: ClassVar[str] = "cancelled"
    step: int


@dataclass(frozen=True)
class Interrupted(Event):
    """Ctrl-C, or the computer was shut down."""

    name: ClassVar[str] = "interrupted"
    step: int


@dataclass(frozen=True)
class Evaluated(Event):
    """Base and tuned model were compared on phrases never trained on; the rest is in ``RUN/evaluation.json``."""

    name: ClassVar[str] = "evaluated"
    n: int
    base_wer: float
    tuned_wer: float
    verdict: Literal["better", "worse", "unclear"]


_TYPES = {
    kind.name: kind
    for kind in (
        Queued, Stage, Prepare, Windows, Start, Step, Eval, Checkpoint, Warning, Done, Failed, Paused, Cancelled,
        Interrupted, Evaluated,
    )
}  # fmt: skip

Listener = Callable[[Event], None]

StageProgress = Callable[[str, int, int | None], None]
"""Told how far something is that is no training: its name, how much is done, and how much there is where known."""


class EventLog:
    """Appends events to a file and tells each listener; a line is flushed before ``emit`` returns.

    Threads may share one; a file has one log that writes at a time. Without a file it says nothing to anybody: for a
    process that takes part in a run which another one writes down.
    """

    def __init__(self, path: Path | None, *listeners: Listener) -> None:
        self._path = path
        self._listeners = listeners
        self._writing = threading.Lock()
        self._is_whole = False

    def emit(self, event: Event) -> None:
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._append({"event": event.name, "time": time, **dataclasses.asdict(event)})
        for listener in self._listeners:
            listener(event)

    def copy(self, record: Record) -> None:
        """Append an event of another machine, with the time at which it was written there."""
        self._append(record.to_json())
        for listener in self._listeners:
            listener(record.event)

    def _append(self, fields: dict[str, object]) -> None:
        if self._path is None:
            return
        line = json.dumps(fields)
        with self._writing, storage_faults(self._path):
            if not self._is_whole:
                self._path.touch(mode=0o600)
                _drop_torn_line(self._path)
                self._is_whole = True
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")

    def rewind(self, step: int) -> None:
        """Forget what happened after ``step``, so that a resumed run records no step twice."""
        if self._path is None:
            return
        lines = list(_lines(self._path))
        kept = [line for line, record in lines if getattr(record.event, "step", 0) <= step]
        if len(kept) < len(lines):
            write_atomically(self._path, "".join(kept))


@dataclass(frozen=True)
class Record:
    """An event and when it was written."""

    time: datetime
    event: Event

    def to_json(self) -> dict[str, object]:
        """The line as it is in the file: ``{"event", "time", ...fields}``."""
        return {"event": self.event.name, "time": self.time.isoformat(), **dataclasses.asdict(self.event)}


def parse_record(line: str | bytes) -> Record | None:
    """The event in one line, or None where it is none."""
    try:
        fields = json.loads(line)
        kind = _TYPES[fields.pop("event")]
        known = {field.name for field in dataclasses.fields(kind)}
        event = kind(**{key: value for key, value in fields.items() if key in known})
        return Record(datetime.fromisoformat(fields["time"]), event)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


@dataclass(frozen=True)
class Cursor:
    """How far a file has been read; as text ``FILE-OFFSET``, for a reader that asks again over HTTP."""

    file: int = 0
    """The file's number on its disk: another one means it was written anew (see :meth:`EventLog.rewind`)."""
    offset: int = 0
    """Bytes read."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """The cursor of a text; the start for one that is none."""
        file, _, offset = text.partition("-")
        is_one = text.isascii() and file.isdecimal() and offset.isdecimal()
        return cls(int(file), int(offset)) if is_one else cls()

    def __str__(self) -> str:
        return f"{self.file}-{self.offset}"


@dataclass(frozen=True)
class Tail:
    """What a file holds beyond a cursor."""

    records: tuple[Record, ...]
    cursor: Cursor
    rewritten: bool
    """Whether the file was written anew: these are all its records, and what was read before is no longer true."""


def read_tail(path: Path, after: Cursor | None = None) -> Tail:
    """What was written since ``after``, without reading anything before it; no file is an empty one.

    A line that is being written waits for its end. A line that is no event is passed over: it is told of by
    :func:`read_events`, which a run that goes on calls.
    """
    after = after or Cursor()
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            same = found.st_ino == after.file and found.st_size >= after.offset
            start = after.offset if same else 0
            file.seek(start)
            data = file.read()
    except FileNotFoundError:
        return Tail((), Cursor(), after != Cursor())
    whole = data[: data.rfind(b"\n") + 1]
    records = tuple(record for line in whole.splitlines() if (record := parse_record(line)) is not None)
    return Tail(records, Cursor(found.st_ino, start + len(whole)), not same and after != Cursor())


def read_events(path: Path) -> list[Event]:
    """All events written so far; a last line cut by a crash is left out.

    Raises
    ------
    ManifestError
        when a line other than the last is not an event.
    """
    return [record.event for _, record in _lines(path)]


def _lines(path: Path) -> Iterator[tuple[str, Record]]:
    if not path.is_file():
        return
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for number, line in enumerate(lines, 1):
        record = parse_record(line)
        if record is None:
            if number == len(lines):
                return
            raise ManifestError(f"line {number} is not an event", where=path)
        yield line, record


def _drop_torn_line(path: Path) -> None:
    """Cut off what a killed process had begun to write."""
    if not path.is_file():
        return
    with path.open("rb+") as file:
        data = file.read()
        if not data.endswith(b"\n"):
            file.truncate(data.rfind(b"\n") + 1)
