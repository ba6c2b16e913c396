"""From a prepared voice to a trained run: begin it, train it, go on with it, take part in it.

What is trained and how is settled before (``run_settings.py``, ``prepare.py``); the training itself is ``training/``'s
work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ownvoice import events
from ownvoice.config import TrainingSettings
from ownvoice.data.computed import forget_deleted
from ownvoice.data.manifest import read_manifest
from ownvoice.data.recording import recording_of
from ownvoice.data.split import load_split, save_split
from ownvoice.data.utterance import utterance_id
from ownvoice.errors import TrainingError
from ownvoice.evaluation.wer import score
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.training.ending import Ending, forget_wish
from ownvoice.workflow.prepare import Prepared, prepare
from ownvoice.workflow.run_settings import require_same

if TYPE_CHECKING:
    from ownvoice.training.dev import Score
    from ownvoice.training.examples import Clip
    from ownvoice.training.loop import TrainingResult


@dataclass(frozen=True)
class TrainedRun:
    """A run that ended well."""

    run: RunFolder
    result: TrainingResult

    def summary(self) -> dict[str, object]:
        """What ``ownvoice train --json`` prints; keys are a contract."""
        result = self.result
        return {
            "run": str(self.run.path),
            "steps": result.steps,
            "loss": result.loss,
            "dev_wer": result.dev_wer,
        }


def train_voice(prepared: Prepared, listener: events.Listener) -> TrainedRun:
    """Start a run of a prepared voice and train it to its end.

    Raises
    ------
    TrainingError, ModelError, AudioError, StorageError
        as :func:`ownvoice.training.trainer.train`; the run is left for :func:`resume_run`.
    """
    return go_on(begin_run(prepared, listener), listener)


def begin_run(prepared: Prepared, listener: events.Listener) -> RunFolder:
    """A new run of a prepared voice: it has its settings and its split, and :func:`go_on` trains it.

    Raises
    ------
    StorageError
        when the disk is full or the folder cannot be written.
    """
    run = prepared.voice.new_run()
    prepared.settings.save(run.config)
    _keep_split(run, prepared, events.EventLog(run.events, listener))
    return run


def resume_run(folder: Path, given: Mapping[str, Any], listener: events.Listener) -> TrainedRun:
    """Go on with a run, or with the latest unfinished run of a voice.

    Parameters
    ----------
    folder
        Of a run or a voice.
    given
        Settings the person wrote as well; they may not differ from the run's.

    Raises
    ------
    DataError, TrainingError
        when ``folder`` is neither, there is nothing to go on with, or the recordings have changed.
    UsageError
        when ``given`` differs from the run's settings.
    """
    run = RunFolder(folder)
    if not run.config.is_file():
        run = _latest_unfinished(VoiceFolder(folder).require())
    settings = TrainingSettings.load(run.config)
    require_same(settings, given, "run", run.config)
    forget_wish(run)
    return go_on(run, listener)


def go_on(run: RunFolder, listener: events.Listener) -> TrainedRun:
    """Train a run from where it is: from its last checkpoint, or from the very beginning where it has only settings.

    Raises
    ------
    DataError, ModelError, TrainingError, StorageError
        as :func:`~ownvoice.workflow.prepare.prepare` and :func:`train_voice`; the run's last event says so too.
    """
    from ownvoice.training.trainer import train

    settings = TrainingSettings.load(run.require().config)
    log = events.EventLog(run.events, listener)
    with Ending(run, log, "check", {}):
        forget_deleted(run.voice)
        if not run.split.is_file():
            log.emit(events.Stage("check"))
            _keep_split(run, prepare(run.voice, settings), log)
        learn, choose = clips_of(run)
    result = train(run, settings, learn, choose, dev_score(settings.language), resume=True, listeners=[listener])
    return TrainedRun(run, result)


def follow() -> None:
    """Take part in whatever the main process trains, until it has nothing more to do.

    Raises
    ------
    ProcessLostError
        when the main process, or another one, is no longer there.
    """
    from ownvoice.training.processes import join_group
    from ownvoice.training.trainer import take_part

    for path in join_group().calls():
        run = RunFolder(Path(path))
        settings = TrainingSettings.load(run.config)
        take_part(run, settings, *clips_of(run), dev_score(settings.language))


def _keep_split(run: RunFolder, prepared: Prepared, log: events.EventLog) -> None:
    for note in prepared.notes:
        log.emit(events.Warning(note))
    save_split(run, prepared.split)


def _latest_unfinished(voice: VoiceFolder) -> RunFolder:
    for run in reversed(voice.started_runs()):
        if not any(isinstance(event, events.Done) for event in events.read_events(run.events)):
            return run
    raise TrainingError(
        "there is no unfinished run to go on with", where=voice.runs, mend="Start one by leaving out --resume."
    )


def clips_of(run: RunFolder) -> tuple[list[Clip], list[Clip]]:
    """What a run trains on, and what it chooses by, as its split says.

    Raises
    ------
    DataError
        when the voice's table cannot be read, or no longer has an utterance of the split.
    """
    from ownvoice.training.examples import Clip

    utterances = {utterance_id(utterance): utterance for utterance in read_manifest(run.voice).utterances}
    split = load_split(run, utterances.values())

    def clips(names: Sequence[str]) -> list[Clip]:
        return [Clip(name, recording_of(run.voice, utterances[name]), utterances[name].text) for name in names]

    return clips(split.train), clips(split.dev)


def dev_score(language: str | None) -> Score:
    """Scores transcripts of a dev set in ``language``."""
    from ownvoice.training.dev import DevScore

    def rate(references: Sequence[str], hypotheses: Sequence[str]) -> DevScore:
        scored = score(references, hypotheses, language)
        return DevScore(scored.wer, scored.cer)

    return rate
