"""Trains on a small disk (first argument) that another program fills after four steps, and again once there is room."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from following import settings, steps_of
from ownvoice import events
from ownvoice.errors import DiskFullError
from ownvoice.workflow.run_view import RunWatch
from ownvoice.workflow.train import go_on
from voices import make_voice

disk, model = map(Path, sys.argv[1:])
voice = make_voice(disk / "anna", 16)
run = voice.new_run()
settings(model, epochs=4, dev={"every": 1}).save(run.config)


def fill(event: events.Event) -> None:
    if isinstance(event, events.Step) and event.step == 4:
        with contextlib.suppress(OSError), (disk / "other").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))


with contextlib.suppress(DiskFullError):
    go_on(run, fill)
failed = RunWatch(run).look()
print(failed.state, failed.failure and failed.failure.kind, failed.failure and failed.failure.action)
(disk / "other").unlink()
go_on(run, lambda event: None)
print(RunWatch(run).look().state, steps_of(run))
