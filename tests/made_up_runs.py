"""Runs as a training and its evaluation leave them behind, with transcripts a test makes up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from following import settings
from ownvoice import events
from ownvoice.data.manifest import read_manifest
from ownvoice.data.split import Split, load_split, save_split, split_utterances
from ownvoice.evaluation.evaluate import Evaluation, evaluate
from ownvoice.evaluation.saved import save_evaluation
from ownvoice.events import EventLog
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.workflow.judge import held_out_phrases

Hears = Callable[[str], str]
"""What a model writes when something is said."""


def trained_run(voice: VoiceFolder, split: Split | None = None, **changes: object) -> RunFolder:
    """A finished training: settings, split, events, and an adapter of a few bytes."""
    run = voice.new_run()
    settings(Path("tiny"), **changes).save(run.config)
    utterances = read_manifest(voice).utterances
    save_split(run, split or split_utterances(utterances, seed=0))
    train = len(load_split(run, utterances).train)
    log = EventLog(run.events)
    log.emit(events.Start(4, 0, "CPU", "float32", train, 2, 100, 1e-3))
    log.emit(events.Step(4, 2.0, 1.5, 1e-3, 0.5, 0.1, 20.0, 10**9, 0.0))
    log.emit(events.Eval(4, 0.5, 0.25, 1.5, True))
    log.emit(events.Done(4, 4, 0.5, 1.5, 10.0, False))
    run.adapter.mkdir()
    (run.adapter / "adapter_model.safetensors").write_bytes(bytes(1000))
    return run


def judge(run: RunFolder, base: Hears, tuned: Hears) -> Evaluation:
    """Evaluate a run as if its models had written these."""
    phrases = held_out_phrases(run)
    texts = {str(phrase.audio): phrase.text for phrase in phrases}
    evaluation = evaluate(
        phrases,
        base=lambda clips: [base(texts[str(clip)]) for clip in clips],
        tuned=lambda clips: [tuned(texts[str(clip)]) for clip in clips],
        language="en",
    )
    save_evaluation(run, evaluation)
    wer = evaluation.base.score.wer, evaluation.tuned.score.wer
    EventLog(run.events).emit(events.Evaluated(evaluation.n, *wer, evaluation.difference.verdict))
    return evaluation
