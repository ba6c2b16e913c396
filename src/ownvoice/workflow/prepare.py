"""From a table or a voice to what a training needs to begin: a voice, its split, and what a person should know first.

What a check finds wrong is left out by name here, and nothing else is decided: checking and splitting are ``data/``'s
work. Nothing is written but what a table is imported into.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ownvoice import events
from ownvoice.config import TrainingSettings
from ownvoice.data.check import check_voice
from ownvoice.data.importers import LeftOut, import_recordings
from ownvoice.data.manifest import read_manifest, scan_manifest
from ownvoice.data.split import Split, fold_text, learned_texts, split_utterances
from ownvoice.data.utterance import Utterance, utterance_id
from ownvoice.model.source import find_model
from ownvoice.quantities import counted
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.training.processes import shares_weights
from ownvoice.workflow.refusal import outlook, require_room


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
    notes = (*notes, *split.warnings, *_learned_before(settings, split, utterances))
    return Prepared(voice, settings, split, notes)


def _learned_before(settings: TrainingSettings, split: Split, utterances: Iterable[Utterance]) -> Iterator[str]:
    """That the base model, an earlier run's, has learned from phrases that are to judge this one."""
    base = RunFolder(Path(settings.base_model))
    learned = learned_texts(base) if base.config.is_file() else None
    if not learned:
        return
    test = set(split.test)
    judging = {fold_text(utterance.text) for utterance in utterances if utterance_id(utterance) in test}
    if known := len(judging & learned):
        yield (
            f"The base model learned from {known} of the {counted(len(judging), 'phrase')} kept for judging, so both "
            "will look better than they are. Its own --seed keeps the same phrases apart."
        )


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
