"""Base and tuned model hear the same recordings, side by side, for an evaluation.

The models are loaded here and handed to :mod:`ownvoice.evaluation` as plain functions; how errors are counted and shown
is its work.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ownvoice.config import TrainingSettings
from ownvoice.data.audio import SAMPLE_RATE, write_wav
from ownvoice.data.manifest import read_manifest
from ownvoice.data.recording import AudioSource, load_recording, recording_of
from ownvoice.data.split import ABOUT, fold_text, learned_texts, load_split
from ownvoice.data.utterance import Utterance, utterance_id
from ownvoice.errors import TooLittleDataError
from ownvoice.evaluation.evaluate import Evaluation, HeldOutPhrase, Transcriber, evaluate
from ownvoice.evaluation.report import write_report
from ownvoice.evaluation.saved import save_evaluation
from ownvoice.events import StageProgress
from ownvoice.quantities import counted
from ownvoice.rundir import RunFolder, VoiceFolder

if TYPE_CHECKING:
    from ownvoice.model.load import Recogniser

_CLIPS_AT_ONCE = 64
"""Clips held in memory while transcribing: 64 of 30 s are 120 MB."""


def evaluate_run(
    run: RunFolder, *, on: VoiceFolder | None = None, names: Sequence[str] = (), progress: StageProgress
) -> Evaluation:
    """Judge a run's model against its base.

    On the run's own phrases the figures and the page are written into its folder; on another voice nothing is.

    Parameters
    ----------
    run
        A run that has trained a model.
    on
        Another voice, to be judged on by all its phrases that the run did not learn from; left out, the run's own
        test phrases.
    names
        Names the person cares about, counted apart; those that phrases were recorded for are counted anyway.

    Raises
    ------
    TrainingError, ModelError
        when this is no run, or it has no trained model yet.
    DataError
        when the voice's table or a recording cannot be read, or there is no phrase to judge on.
    """
    from ownvoice.model.load import load_recogniser
    from ownvoice.model.source import find_model

    settings = TrainingSettings.load(run.require().config)
    phrases, notes = _unlearned_phrases(on, run) if on else (held_out_phrases(run), ())
    found = find_model(run.path)
    if found.adapter is None:
        base = _loaded_to_listen(settings.base_model, settings.language, progress, "Base model listens")
        tuned = _loaded_to_listen(run.path, settings.language, progress, "Tuned model listens")
    else:
        both = _BothListen(_in_whole_windows(load_recogniser(run.path)), settings.language, progress)
        base, tuned = both.base, both.tuned
    with tempfile.TemporaryDirectory() as folder:
        evaluation = evaluate(
            phrases,
            base=base,
            tuned=tuned,
            window_in_use="short" if found.short_windows else "standard",
            language=settings.language,
            silence=_silent_clips(Path(folder), settings.seed),
            names=names,
            seed=settings.seed,
        )
    evaluation = replace(evaluation, notes=notes)
    if on is None:
        save_evaluation(run, evaluation)
        write_report(run, evaluation)
    return evaluation


def held_out_phrases(run: RunFolder) -> list[HeldOutPhrase]:
    """The phrases a run keeps apart to be judged on."""
    utterances = {utterance_id(utterance): utterance for utterance in read_manifest(run.voice).everything}
    split = load_split(run, utterances.values())
    return [_phrase(run.voice, utterances[name]) for name in split.test if not utterances[name].excluded]


def _unlearned_phrases(voice: VoiceFolder, run: RunFolder) -> tuple[list[HeldOutPhrase], tuple[str, ...]]:
    """The phrases of another voice, perhaps a copy of the run's own, that it did not learn from; and what to know."""
    utterances = read_manifest(voice).utterances
    learned = learned_texts(run)
    if learned is None:
        note = (
            "Which phrases the model learned from is not known here: its own voice is not with it. Some may be these."
        )
        return [_phrase(voice, utterance) for utterance in utterances], (note,)
    unlearned = [utterance for utterance in utterances if fold_text(utterance.text) not in learned]
    left_out = len(utterances) - len(unlearned)
    if left_out and not unlearned:
        raise TooLittleDataError(
            "the model learned from every phrase of this voice",
            where=voice.path,
            mend=f"Record other phrases in it. The run's own figures: ownvoice evaluate {run.path}",
        )
    note = f"{counted(left_out, 'recording')} left out: the model learned from their words."
    return [_phrase(voice, utterance) for utterance in unlearned], (note,) if left_out else ()


def _phrase(voice: VoiceFolder, utterance: Utterance) -> HeldOutPhrase:
    about = utterance.extra.get(ABOUT)
    name = about if isinstance(about, str) and any(character.isalnum() for character in about) else None
    return HeldOutPhrase(utterance_id(utterance), recording_of(voice, utterance), utterance.text, name)


def transcriber(recogniser: Recogniser, language: str | None, progress: StageProgress, stage: str) -> Transcriber:
    """A function that hears recordings with a loaded model, a bounded number of clips in memory at a time."""
    from ownvoice.model.transcribe import transcribe_clips

    def transcribe(paths: Sequence[AudioSource]) -> list[str]:
        texts: list[str] = []
        progress(stage, 0, len(paths))
        for start in range(0, len(paths), _CLIPS_AT_ONCE):
            clips = [load_recording(path) for path in paths[start : start + _CLIPS_AT_ONCE]]
            texts += transcribe_clips(recogniser, clips, language)
            progress(stage, len(texts), len(paths))
        return texts

    return transcribe


def _loaded_to_listen(source: str | Path, language: str | None, progress: StageProgress, stage: str) -> Transcriber:
    """A model that is loaded to hear and gone when it has heard: two whole ones never fill the memory together."""

    def transcribe(paths: Sequence[AudioSource]) -> list[str]:
        from ownvoice.model.load import load_recogniser

        return transcriber(_in_whole_windows(load_recogniser(source)), language, progress, stage)(paths)

    return transcribe


def _in_whole_windows(recogniser: Recogniser) -> Recogniser:
    """As the base hears, and as everybody does who finds the model without ownvoice: the figures are theirs too."""
    recogniser.short_windows = False
    return recogniser


class _BothListen:
    """Base and tuned model in one pass over the recordings, with one loaded model whose adapter goes off and on."""

    def __init__(self, tuned: Recogniser, language: str | None, progress: StageProgress) -> None:
        self._model, self._language, self._progress = tuned, language, progress
        self._tuned_texts: dict[AudioSource, str] = {}

    def base(self, paths: Sequence[AudioSource]) -> list[str]:
        """The base's texts; what the tuned model writes of the same recordings is kept for :meth:`tuned`."""
        from ownvoice.model.transcribe import answer_both

        texts: list[str] = []
        stage = "Base and tuned model listen"
        self._progress(stage, 0, len(paths))
        for start in range(0, len(paths), _CLIPS_AT_ONCE):
            part = paths[start : start + _CLIPS_AT_ONCE]
            before, now = answer_both(self._model, [load_recording(path) for path in part], self._language)
            texts += [answer.text for answer in before]
            self._tuned_texts |= {path: answer.text for path, answer in zip(part, now, strict=True)}
            self._progress(stage, len(texts), len(paths))
        return texts

    def tuned(self, paths: Sequence[AudioSource]) -> list[str]:
        """The tuned model's texts of recordings that the base has heard."""
        return [self._tuned_texts[path] for path in paths]


def _silent_clips(folder: Path, seed: int) -> list[Path]:
    """Clips without speech: digital silence, a quiet room, a noisy one; what is written on them is made up."""
    noise = np.random.default_rng(seed).standard_normal(3 * SAMPLE_RATE).astype(np.float32)
    paths = []
    for number, loudness in enumerate((0.0, 0.001, 0.01)):  # of full scale: -60 and -40 dB
        paths.append(folder / f"silence-{number}.wav")
        write_wav(paths[-1], loudness * noise)
    return paths
