"""How a run stands, from what it wrote and whether its process lives: for a page, a second device, a restarted server.

Reads and changes nothing, loads no torch, and costs the training nothing: a :class:`RunWatch` reads only what was
written since it last looked.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal

import psutil

from ownvoice import events
from ownvoice.config import TrainingSettings
from ownvoice.events import Cursor, Record, StageName, read_tail
from ownvoice.rundir import RunFolder
from ownvoice.training.durable import is_held
from ownvoice.training.ending import Wish, wish_of
from ownvoice.workflow.failures import Failure, failure_of, silent_death
from ownvoice.workflow.queue import Ticket, ticket_of
from ownvoice.workflow.remote_record import Remote, read_remote

State = Literal[
    "queued", "preparing", "running", "paused", "cancelling", "cancelled", "finished", "failed", "interrupted"
]


@dataclass(frozen=True)
class Story:
    """What the events of a run tell, folded into what is worth knowing now."""

    stage: StageName | None = None
    """What it does, or did when it ended; None while it waits for its turn."""
    done: int = 0
    total: int | None = None
    """How much of the stage is done, and of how much, where known; in training, optimiser steps."""
    start: events.Start | None = None
    step: events.Step | None = None
    looks: tuple[events.Eval, ...] = ()
    notices: tuple[str, ...] = ()
    ended: events.Event | None = None
    """Paused, Cancelled, Interrupted, Failed, Done or Evaluated, when that is the last word."""
    trained: events.Done | None = None
    evaluated: events.Evaluated | None = None
    first: datetime | None = None
    last: datetime | None = None
    """When the first and the last event were written."""

    def with_record(self, record: Record) -> Story:
        """The story with one more event."""
        story = replace(self, first=self.first or record.time, last=record.time)
        match record.event:
            case events.Queued():
                return replace(story, stage=None, done=0, total=None, ended=None)
            case events.Stage(stage=stage, done=done, total=total):
                return replace(story, stage=stage, done=done, total=total, ended=None)
            case events.Prepare(done=done, total=total):
                return replace(story, stage="prepare", done=done, total=total, ended=None)
            case events.Windows() as windows:
                return replace(story, notices=(*story.notices, windows.sentence))
            case events.Start() as start:
                begun = replace(story, stage="train", done=start.step, total=start.steps, start=start, ended=None)
                return replace(begun, evaluated=None)  # of a model that is now trained further
            case events.Step() as step:
                return replace(story, done=step.step, step=step)
            case events.Eval() as look:
                return replace(story, looks=(*story.looks, look))
            case events.Warning(message=message):
                return story if message in story.notices else replace(story, notices=(*story.notices, message))
            case events.Done() as done_event:
                return replace(story, trained=done_event, ended=done_event)
            case events.Evaluated() as evaluated:
                return replace(story, evaluated=evaluated, ended=evaluated)
            case events.Failed() | events.Paused() | events.Cancelled() | events.Interrupted() as end:
                return replace(story, ended=end)
        return story


@dataclass(frozen=True)
class RunView:
    """A run as a person sees it; :meth:`to_json` is what pages read."""

    run: RunFolder
    settings: TrainingSettings
    state: State
    asked: Wish | None
    """What it was asked to do and has not done yet: within five seconds it will have."""
    position: int | None
    """Runs before it in the queue, the working one included; None where it does not wait."""
    has_model: bool
    remote: Remote | None
    """The rented machine it is trained on; None where it is trained here."""
    is_followed: bool
    """Whether a process here trains it, or follows the rented machine that does."""
    failure: Failure | None
    story: Story = field(repr=False)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.state not in ("queued", "preparing", "running", "cancelling")

    @property
    def can_resume(self) -> bool:
        """Whether :func:`ownvoice.workflow.runs.resume` has something to go on with here."""
        unfinished = self.story.trained is None or self.story.evaluated is None
        return self.is_over and unfinished and self.remote is None

    def to_json(self) -> dict[str, object]:
        """Plain values; rates are fractions, times seconds, ``memory`` bytes. Keys are added, never renamed.

        ``{"run", "voice", "state", "asked", "position", "is_over", "can_resume", "has_model", "stage", "done", "total",
        "step", "steps", "epoch", "epochs", "loss", "learning_rate", "clips_per_second", "memory", "remaining",
        "device", "train", "dev", "looks": [{"step", "dev_wer", "dev_cer", "dev_loss", "best", "seconds"}], "best_wer",
        "best_step", "notices": [str], "failure": null | {"kind", "stage", "message", "next_step", "utterance",
        "action": "resume" | "retry", "changes"}, "evaluated": null | {"n", "base_wer", "tuned_wer", "verdict"},
        "stopped_early", "started", "updated", "base_model", "method", "remote": null | {"machine", "dollars_an_hour",
        "seconds", "job", "is_over", "is_followed"}}``
        """
        story, step, start = self.story, self.story.step, self.story.start
        best = next((look for look in reversed(story.looks) if look.best), None)
        return {
            "run": self.run.path.name,
            "voice": self.run.voice.path.resolve().name,
            "state": self.state,
            "asked": self.asked,
            "position": self.position,
            "is_over": self.is_over,
            "can_resume": self.can_resume,
            "has_model": self.has_model,
            "stage": story.stage,
            "done": story.done,
            "total": story.total,
            "step": step.step if step else 0,
            "steps": start.steps if start else None,
            "epoch": step.epoch if step else 0.0,
            "epochs": self.settings.epochs,
            "loss": step.loss if step else None,
            "learning_rate": step.learning_rate if step else None,
            "clips_per_second": step.clips_per_second if step else None,
            "memory": step.memory if step else None,
            "remaining": step.remaining if step else None,
            "device": start.device if start else None,
            "train": start.train if start else None,
            "dev": start.dev if start else None,
            "looks": [asdict(look) for look in story.looks],
            "best_wer": best.dev_wer if best else None,
            "best_step": best.step if best else None,
            "notices": list(story.notices),
            "failure": self.failure.to_json() if self.failure else None,
            "evaluated": asdict(story.evaluated) if story.evaluated else None,
            "stopped_early": story.trained.stopped_early if story.trained else None,
            "started": story.first.isoformat() if story.first else None,
            "updated": story.last.isoformat() if story.last else None,
            "base_model": self.settings.base_model,
            "method": self.settings.method,
            "remote": self._remote_json(),
        }

    def _remote_json(self) -> dict[str, object] | None:
        if self.remote is None:
            return None
        told = ("machine", "dollars_an_hour", "seconds", "job", "is_over")
        return {**{name: getattr(self.remote, name) for name in told}, "is_followed": self.is_followed}


class RunWatch:
    """Follows one run; cheap enough to be asked several times a second."""

    def __init__(self, run: RunFolder) -> None:
        """``run`` must have its settings.

        Raises
        ------
        TrainingError, ConfigError
            when it is no run, or its settings cannot be read.
        """
        self._run = run
        self._settings = TrainingSettings.load(run.require().config)
        self._cursor = Cursor()
        self._story = Story()

    def look(self) -> RunView:
        """How the run stands now."""
        # before its last words are read
        followed = is_held(self._run.job_lock) or is_held(self._run.lock)
        remote = read_remote(self._run)
        tail = read_tail(self._run.events, self._cursor)
        self._cursor = tail.cursor
        if tail.rewritten:
            self._story = Story()
        for record in tail.records:
            self._story = self._story.with_record(record)
        return self._view(followed, remote)

    def _view(self, followed: bool, remote: Remote | None) -> RunView:
        run, story = self._run, self._story
        works_elsewhere = remote is not None and not remote.is_over
        alive = followed or works_elsewhere
        if works_elsewhere and isinstance(story.ended, events.Evaluated):
            story = replace(story, ended=None, evaluated=None)  # what it brought is not here yet
        ticket = ticket_of(run)
        asked = wish_of(run)
        state = _state_of_living(story, asked) if alive else _state_of_ended(story, asked, ticket)
        failure = None
        if state == "failed":
            failed = (
                story.ended if isinstance(story.ended, events.Failed) else silent_death(run, story.stage or "check")
            )
            failure = failure_of(failed, self._settings, story.start)
        return RunView(
            run=run,
            settings=self._settings,
            state=state,
            asked=asked if alive else None,
            position=None,
            has_model=run.has_model,
            remote=remote,
            is_followed=followed,
            failure=failure,
            story=story,
        )


_ENDINGS: dict[type[events.Event] | type[None], State] = {
    events.Failed: "failed",
    events.Paused: "paused",
    events.Cancelled: "cancelled",
    events.Interrupted: "interrupted",
    events.Evaluated: "finished",
}


def _state_of_living(story: Story, asked: Wish | None) -> State:
    if ending := _ENDINGS.get(type(story.ended)):
        return ending
    if asked == "cancel":
        return "cancelling"
    if story.stage is None and story.first is not None:
        return "queued"
    return "running" if story.stage in ("train", "evaluate") else "preparing"


def _state_of_ended(story: Story, asked: Wish | None, ticket: Ticket | None) -> State:
    """The state of a run that no process works on."""
    if ticket is not None:
        return "queued" if ticket.is_awaited else "interrupted"
    if isinstance(story.ended, events.Done):  # trained, and nobody is there to judge it
        return "finished"
    if ending := _ENDINGS.get(type(story.ended)):
        return ending
    if asked is not None:  # killed before it could do what it was asked for
        return "cancelled" if asked == "cancel" else "paused"
    booted = datetime.fromtimestamp(psutil.boot_time(), UTC)
    switched_off = story.last is None or story.last < booted
    return "interrupted" if switched_off else "failed"
