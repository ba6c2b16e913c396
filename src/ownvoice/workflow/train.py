"""From a voice to a trained run: import its table, settle the settings, prepare, train, resume.

What a check finds wrong is left out by name here, and nothing else is decided: checking, splitting and training are
their packages' work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ownvoice import events
from ownvoice.config import TrainingSettings, merged
from ownvoice.data.check import check_voice
from ownvoice.data.importers import LeftOut, import_recordings
from ownvoice.data.manifest import read_manifest, read_voice_settings, scan_manifest
from ownvoice.data.recording import recording_of
from ownvoice.data.shelf import summarise
from ownvoice.data.split import Split, load_split, save_split, split_utterances
from ownvoice.data.utterance import Utterance, utterance_id
from ownvoice.errors import TrainingError, UsageError
from ownvoice.evaluation.wer import score
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.training.defaults import usual_settings
from ownvoice.training.ending import Ending, forget_wish
from ownvoice.training.processes import shares_weights
from ownvoice.workflow.presets import Pace, at_pace

if TYPE_CHECKING:
    from ownvoice.training.dev import Score
    from ownvoice.training.examples import Clip
    from ownvoice.training.loop import TrainingResult


@dataclass(frozen=True)
class Prepared:
    """A voice made ready for training."""

    voice: VoiceFolder
    settings: TrainingSettings
    split: Split
    notes: tuple[str, ...]
    """What a person should know before it starts: recordings left out, figures that will mean little."""
    outlook: str | None = None
    """What it needs and how long it will take, in a sentence, where that is known."""


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


def import_table(table: Path, progress: events.StageProgress) -> tuple[VoiceFolder, list[LeftOut]]:
    """The voice of a table: its own folder where it is a voice's manifest, else one beside it that it is imported into.

    ``people/anna.jsonl`` is imported into ``people/anna-voice``; doing so again brings in what is new. Also returns
    what could not be imported.

    Raises
    ------
    SourceError
        when nothing in the table can be imported.
    """
    voice = VoiceFolder(table.parent)
    if table.name == voice.manifest.name and voice.settings.is_file():
        return voice, []
    voice = VoiceFolder(table.with_name(f"{table.stem}-voice"))
    result = import_recordings(str(table), voice, progress=lambda done, total: progress("Importing", done, total))
    return voice, result.failed


def training_settings(
    voice: VoiceFolder, recipe: Path | None, given: Mapping[str, Any], pace: Pace = "balanced"
) -> TrainingSettings:
    """Settings for training ``voice``: those ``given`` before those of the recipe before what is usual.

    Usual is what suits so many minutes of speech (:mod:`ownvoice.training.defaults`), at a pace. The language is the
    voice's unless one of them says otherwise.

    Raises
    ------
    DataError
        when this is no voice folder.
    ConfigError
        when the recipe or a value is wrong.
    """
    language = read_voice_settings(voice.require()).language
    chosen = written_settings(recipe, given)
    usual = usual_settings(summarise(voice).seconds / 60, str(chosen.get("method", "lora")))
    return TrainingSettings.make(merged({"language": language, **at_pace(pace, usual)}, chosen))


def written_settings(recipe: Path | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """What somebody wrote down: the recipe's settings with those ``given`` laid over them, and no default.

    Raises
    ------
    ConfigError
        when the recipe is wrong.
    """
    return merged(TrainingSettings.load(recipe).model_dump(exclude_unset=True) if recipe else {}, given)


def require_same(settings: TrainingSettings, given: Mapping[str, Any], what: str, where: Path) -> None:
    """Whether a resumed run or search, which is ``what``, is asked for as it was started.

    Raises
    ------
    UsageError
        when something ``given`` differs from its ``settings``.
    """
    if TrainingSettings.make(merged(settings.model_dump(), given)) != settings:
        raise UsageError(
            f"a resumed {what} goes on with the settings it started with",
            where=where,
            mend=f"Leave these settings out, or leave out --resume to start a new {what}.",
        )


def prepare(voice: VoiceFolder, settings: TrainingSettings) -> Prepared:
    """Check the voice and the base model, and split the voice; nothing is written and no weight is read.

    Recordings that :func:`~ownvoice.data.check.check_voice` finds an error in are left out, and named in the notes.

    Raises
    ------
    DataError
        when this is no voice folder, its table cannot be trusted, or it has too few utterances.
    ModelError
        when the base model is not there or is no Voxtral.
    MemoryShortageError, DiskFullError
        when there is too little memory or room for it here.
    """
    from ownvoice.model.source import find_model
    from ownvoice.workflow.refusal import outlook, require_room

    prepared = prepare_recordings(voice, settings)
    if shares_weights():  # the arithmetic is of one card that holds all, and each of these holds its share
        find_model(settings.base_model)
        return prepared
    found = require_room(voice, settings)
    find_model(settings.base_model)
    if found.need.memory is None:  # a model that nobody here knew before it was fetched
        found = require_room(voice, settings)
    return replace(prepared, outlook=outlook(found))


def prepare_recordings(voice: VoiceFolder, settings: TrainingSettings) -> Prepared:
    """As :func:`prepare`, for a training elsewhere: the base model need not be on this computer, and is not fetched.

    Raises
    ------
    DataError
        as :func:`prepare`.
    """
    utterances, notes = usable_utterances(voice)
    split = split_utterances(utterances, seed=settings.seed)
    return Prepared(voice, settings, split, (*notes, *split.warnings))


def usable_utterances(voice: VoiceFolder) -> tuple[list[Utterance], tuple[str, ...]]:
    """The utterances that count and have no error, and what a person should know: each one left out, with its reason.

    Raises
    ------
    DataError
        when this is no voice folder, or its table cannot be trusted.
    """
    reading = read_manifest(voice)
    errors = {problem.line: problem for problem in check_voice(voice) if problem.severity == "error"}
    lines = scan_manifest(voice).lines
    left_out = [
        f"{utterance.audio_path} is left out: {errors[line].message}. {errors[line].mend}"
        for line, utterance in lines
        if line in errors
    ]
    return [utterance for line, utterance in lines if line not in errors], (*reading.warnings, *left_out)


def train_voice(prepared: Prepared, listener: events.Listener) -> TrainedRun:
    """Start a run of a prepared voice and train it to its end.

    Raises
    ------
    TrainingError, ModelError, AudioError, StorageError
        as :func:`ownvoice.training.trainer.train`; the run is left for :func:`resume_run`.
    """
    run = begin_run(prepared, listener)
    return _train(run, prepared.settings, prepared.split, listener)


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
        as :func:`prepare` and :func:`train_voice`; the run's last event says so too.
    """
    settings = TrainingSettings.load(run.require().config)
    log = events.EventLog(run.events, listener)
    with Ending(run, log, "check", {}):
        if run.split.is_file():
            split = load_split(run, read_manifest(run.voice).utterances)
        else:
            log.emit(events.Stage("check"))
            prepared = prepare(run.voice, settings)
            _keep_split(run, prepared, log)
            split = prepared.split
    return _train(run, settings, split, listener)


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
        train, dev = clips_of(run.voice, load_split(run, read_manifest(run.voice).utterances))
        take_part(run, settings, train, dev, dev_score(settings.language))


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


def _train(run: RunFolder, settings: TrainingSettings, split: Split, listener: events.Listener) -> TrainedRun:
    from ownvoice.training.trainer import train

    learn, choose = clips_of(run.voice, split)
    result = train(run, settings, learn, choose, dev_score(settings.language), resume=True, listeners=[listener])
    return TrainedRun(run, result)


def clips_of(voice: VoiceFolder, split: Split) -> tuple[list[Clip], list[Clip]]:
    """What a run of ``voice`` trains on, and what it chooses by."""
    from ownvoice.training.examples import Clip

    utterances = {utterance_id(utterance): utterance for utterance in read_manifest(voice).utterances}

    def clips(names: Sequence[str]) -> list[Clip]:
        return [Clip(name, recording_of(voice, utterances[name]), utterances[name].text) for name in names]

    return clips(split.train), clips(split.dev)


def dev_score(language: str | None) -> Score:
    """Scores transcripts of a dev set in ``language``."""
    from ownvoice.training.dev import DevScore

    def rate(references: Sequence[str], hypotheses: Sequence[str]) -> DevScore:
        scored = score(references, hypotheses, language)
        return DevScore(scored.wer, scored.cer)

    return rate
