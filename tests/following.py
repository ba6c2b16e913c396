"""Waits for what a run does in a process of its own, and finds that process."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil

from ownvoice import events
from ownvoice.config import TrainingSettings
from ownvoice.rundir import RunFolder
from ownvoice.workflow.run_view import RunView, RunWatch

SECONDS = 120.0
"""Longest a test waits: loading the libraries takes seconds, and much longer on a busy machine."""


def settings(model: Path, **changes: object) -> TrainingSettings:
    values: dict[str, object] = {"base_model": str(model), "epochs": 2, "batch_size": 4, "lora": {"rank": 4}}
    return TrainingSettings.make(values | changes)


def endless(model: Path) -> TrainingSettings:
    """A run that somebody must stop."""
    return settings(model, epochs=1000, batch_size=2, dev={"every": 20, "patience": 1000})


def until(run: RunFolder, reached: Callable[[RunView], bool]) -> tuple[RunView, float]:
    """The first view for which ``reached`` is true, and the seconds it took."""
    watch, began = RunWatch(run), time.monotonic()
    while not reached(view := watch.look()):
        assert time.monotonic() - began < SECONDS, f"{view.to_json()}\n{run.log.read_text()}"
        time.sleep(0.05)
    return view, time.monotonic() - began


def until_over(run: RunFolder) -> tuple[RunView, float]:
    return until(run, lambda view: view.is_over)


def until_step(run: RunFolder, step: int) -> RunView:
    return until(run, lambda view: view.story.stage == "train" and view.story.done >= step)[0]


def process_of(run: RunFolder) -> psutil.Process:
    """The process of the run's job; one that has ended its work may still be leaving."""
    path = str(run.path.resolve())
    found = [one for one in psutil.process_iter(["cmdline"]) if path in (one.info["cmdline"] or ())]
    return max(found, key=psutil.Process.create_time)


def steps_of(run: RunFolder) -> list[int]:
    return [event.step for event in events.read_events(run.events) if isinstance(event, events.Step)]
