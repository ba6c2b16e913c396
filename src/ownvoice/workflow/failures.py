"""What a person can do about a run that failed: go on, begin anew with other settings, or compare the models again.

The sentence of what happened comes with the failure itself; here it gets its next step.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ownvoice import events
from ownvoice.config import TrainingSettings
from ownvoice.events import FailureKind, StageName
from ownvoice.rundir import RunFolder
from ownvoice.training.ending import RESERVE_BYTES

Action = Literal["resume", "retry"]

SLOWER = 10.0
"""Divides a learning rate that ended in no number: the usual step between rates that are tried."""


@dataclass(frozen=True)
class Failure:
    """Why a run failed, and the next step."""

    kind: FailureKind
    stage: StageName
    message: str
    """What happened and where, in plain words."""
    next_step: str
    """How to mend it, in plain words."""
    utterance: str
    """Id of the recording that is to blame; empty where none is."""
    action: Action
    """Go on with this run once the cause is gone (resume), or begin a new one (retry)."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Settings to change for a new run, as :func:`ownvoice.workflow.runs.retry` takes them."""

    def to_json(self) -> dict[str, object]:
        return {
            "kind": self.kind,
            "stage": self.stage,
            "message": self.message,
            "next_step": self.next_step,
            "utterance": self.utterance,
            "action": self.action,
            "changes": dict(self.changes),
        }


def failure_of(failed: events.Failed, settings: TrainingSettings, start: events.Start | None) -> Failure:
    """The failure that an event tells of, with what to do about it; ``start`` is how the training began, if it did.

    A run goes on where the cause lies outside of it (disk, a recording that can be put back, a killed process); where
    its own settings are the cause it begins anew with others.
    """
    action: Action = "resume"
    changes: Mapping[str, Any] = {}
    match failed.kind:
        case "out_of_memory" if failed.stage == "prepare":
            changes = _lighter_base(settings)
            action = "retry" if changes else "resume"
        case "out_of_memory" if failed.stage != "evaluate":
            action, changes = "retry", less_memory(settings)
        case "nan_loss":
            action, changes = "retry", _slower(start)
        case "bad_data" if failed.stage != "evaluate":
            action = "retry"
    message, _, mend = failed.message.partition("\n")
    if failed.kind == "disk_full":
        mend = "Free some space, then go on with the run: nothing that was saved is lost."
    next_step = mend or "Go on with the run; if it happens again, its log tells more."
    return Failure(failed.kind, failed.stage, message, next_step, failed.utterance, action, changes)


def silent_death(run: RunFolder, stage: StageName) -> events.Failed:
    """What a process would have written that died and could not: it was killed, or there was no room for a word."""
    if shutil.disk_usage(run.path).free < RESERVE_BYTES:
        return events.Failed(0, "the disk is full", "disk_full", stage)
    return events.Failed(
        step=0,
        message="the process was ended from outside, most often because the computer ran out of memory\n"
        "Close other programs and go on with the run; if it happens again, start one with a smaller batch_size.",
        kind="worker_killed",
        stage=stage,
    )


def less_memory(settings: TrainingSettings) -> dict[str, Any]:
    """Half the batch in twice the passes, and layers computed twice, which learn the same; then moments in 8 bits;
    then adapters instead of all weights; then those beside a base in 4 bits; then thinner ones.
    """
    quantises = _can_quantise()
    if settings.batch_size > 1:
        half = settings.batch_size // 2
        return {"batch_size": half, "accumulate": round(settings.batch_size * settings.accumulate / half)}
    if settings.checkpointing == "never":
        return {"checkpointing": "always"}
    if settings.method == "full":
        wide = quantises and not settings.optimiser.eight_bit
        return {"optimiser": {"eight_bit": True}} if wide else {"method": "lora"}
    if settings.method == "lora" and quantises:
        return {"method": "qlora"}
    return {"lora": {"rank": max(1, settings.lora.rank // 2)}}


def _lighter_base(settings: TrainingSettings) -> dict[str, Any]:
    """The same base in less memory, where it could not even be loaded: in half precision, then in 4 bits."""
    if settings.method == "full":
        return {"method": "lora"}
    return {"method": "qlora"} if settings.method == "lora" and _can_quantise() else {}


def _can_quantise() -> bool:
    return importlib.util.find_spec("bitsandbytes") is not None


def _slower(start: events.Start | None) -> dict[str, Any]:
    return {"optimiser": {"learning_rate": start.learning_rate / SLOWER}} if start else {}
