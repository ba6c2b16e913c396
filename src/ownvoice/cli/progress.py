"""Shows a run's events on stderr: a moving bar on a terminal, plain lines everywhere else.

It reads the typed events of :mod:`ownvoice.events` and knows nothing of training. stdout stays free for results.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from ownvoice import events
from ownvoice.quantities import counted, duration

_PLAIN_LINES = 10
"""Without a terminal a run says how far it is this many times, besides each look at the dev set."""


class RunProgress:
    """An event listener that draws; use it as a context manager so that the bar ends with the run."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None
        self._steps = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def say(self, line: str) -> None:
        """Print one line above the bar."""
        self._console.print(escape(line), soft_wrap=True)

    def stage(self, name: str, done: int, total: int | None) -> None:
        """Progress of one stage: ``done`` of ``total``, or of nobody knows how many."""
        if self._task is None or self._bar.tasks[-1].description != name:
            self._task = self._bar.add_task(name, total=total, note="")
            if not self._console.is_terminal:
                self.say(f"{name}: {counted(total, 'recording')}" if total else name)
        self._bar.update(self._task, completed=done, total=total)

    def __call__(self, event: events.Event) -> None:
        match event:
            case events.Prepare():
                self.stage("Preparing", event.done, event.total)
            case events.Windows():
                self.say(event.sentence)
            case events.Start():
                self._start(event)
            case events.Step():
                self._step(event)
            case events.Eval():
                best = " - the best so far" if event.best else ""
                self.say(f"step {event.step}: WER on the dev set {event.dev_wer:.1%}{best}")
            case events.Warning():
                self.say(f"Note: {event.message}")
            case events.Done():
                why = "no further improvement" if event.stopped_early else "all steps done"
                self.say(
                    f"Trained {counted(event.step, 'step')} in {event.seconds:.0f} s ({why}); "
                    f"kept step {event.best_step} with WER {event.dev_wer:.1%} on the dev set."
                )
            case _:  # a failure is told by the error itself, a checkpoint needs no line
                pass

    def _start(self, event: events.Start) -> None:
        self._steps = event.steps
        going_on = f", going on from step {event.step}" if event.step else ""
        self.say(
            f"Training on {event.device} ({event.dtype}): {counted(event.train, 'recording')}, {event.dev} to choose "
            f"by, {counted(event.trainable, 'trained parameter')}, {counted(event.steps, 'step')}{going_on}."
        )
        self._task = self._bar.add_task("Training", total=event.steps, completed=event.step, note="")

    def _step(self, event: events.Step) -> None:
        if self._task is not None:
            self._bar.update(self._task, completed=event.step, note=f"loss {event.loss:.3f}")
        each = max(1, self._steps // _PLAIN_LINES)
        if not self._console.is_terminal and event.step % each == 0:
            left = "" if event.remaining is None else f", about {duration(event.remaining)} left"
            self.say(f"step {event.step} of {self._steps}: loss {event.loss:.3f}{left}")
