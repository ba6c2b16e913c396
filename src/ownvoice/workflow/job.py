"""What the process does that trains a run for the app: wait for its turn, train or go on, compare with the base model.

It knows no server and no page. Who wants to know how it goes reads the run's events; who wants it to stop leaves a wish
in the run's folder (:mod:`ownvoice.workflow.runs` does both).
"""

from __future__ import annotations

import signal

from ownvoice import events
from ownvoice.events import EventLog, Listener
from ownvoice.rundir import RunFolder
from ownvoice.training.durable import held
from ownvoice.training.ending import Deadline, Ending, heed
from ownvoice.workflow import queue
from ownvoice.workflow.judge import evaluate_run, held_out_phrases
from ownvoice.workflow.train import go_on


def run_job(run: RunFolder, listener: Listener) -> None:
    """Do a run's work from its place in the queue to its evaluation; nothing where another process does it already.

    Raises
    ------
    OwnvoiceError
        whatever ended the run; its last event says it too.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # shutting down ends a run as Ctrl-C does
    with held(run.job_lock) as is_ours:
        if not is_ours:
            return
        try:
            _work(run, listener)
        finally:
            queue.revive(run.voice.path.resolve().parent)


def _work(run: RunFolder, listener: Listener) -> None:
    log = EventLog(run.events, listener)
    with Deadline(run, log), queue.turn(run) as work:
        if work is None:
            return
        if work == "train":
            go_on(run, listener)
        compare_with_base(run, log)


def compare_with_base(run: RunFolder, log: EventLog) -> None:
    """Compare a run's model with its base, as a stage of the run.

    Raises
    ------
    OwnvoiceError
        whatever ended it; the run's last event says it too.
    """

    def progress(name: str, done: int, total: int | None) -> None:
        heed(run)
        log.emit(events.Stage("evaluate", name, done, total))

    recordings: dict[str, str] = {}
    with Ending(run, log, "evaluate", recordings):
        log.emit(events.Stage("evaluate"))
        recordings |= {str(phrase.audio): phrase.id for phrase in held_out_phrases(run)}
        evaluation = evaluate_run(run, progress=progress)
        base, tuned = evaluation.base.score.wer, evaluation.tuned.score.wer
        log.emit(events.Evaluated(evaluation.n, base, tuned, evaluation.difference.verdict))
