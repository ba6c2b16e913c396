"""The front door: both models hear the same phrases, and one :class:`Evaluation` says how they did.

Models come in as plain functions from audio files to texts, so nothing here knows what a model is. The page is made
by :mod:`ownvoice.evaluation.report`, the file by :mod:`ownvoice.evaluation.saved`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from ownvoice.data.recording import AudioSource
from ownvoice.errors import TooLittleDataError
from ownvoice.evaluation.compare import Difference, Interval, compare
from ownvoice.evaluation.hallucination import Hallucinations, find_hallucinations
from ownvoice.evaluation.names import NameCount, count_names
from ownvoice.evaluation.wer import CorpusScore, ErrorCounts, UtteranceScore, score
from ownvoice.evaluation.wording import Headline, headline, warnings

Window = Literal["standard", "short"]
"""Whole windows, padded with silence, or ones that end soon after the sound."""

Transcriber = Callable[[Sequence[AudioSource]], list[str]]
"""Recordings to texts, one each, in the same order."""


@dataclass(frozen=True)
class HeldOutPhrase:
    """A recorded phrase that was not trained on."""

    id: str
    audio: AudioSource
    text: str
    """What was said, as the person wrote it."""
    about: str | None = None
    """The name or word of the person's own that it was recorded for; counted with the names asked for."""


@dataclass(frozen=True)
class ModelResult:
    """How one model did."""

    transcripts: tuple[str, ...]
    """One a phrase, as the model wrote them."""
    score: CorpusScore
    accent_folded: CorpusScore
    """The same with accents removed from both sides."""
    wer_interval: Interval
    cer_interval: Interval
    hallucinations: Hallucinations


@dataclass(frozen=True)
class PhraseResult:
    """One phrase with both models' results side by side."""

    phrase: HeldOutPhrase
    base_text: str
    tuned_text: str
    base: UtteranceScore
    tuned: UtteranceScore
    base_overlong: bool
    tuned_overlong: bool


@dataclass(frozen=True)
class Evaluation:
    """Base against tuned on phrases neither was trained on; every figure can be taken from here."""

    language: str | None
    phrases: tuple[HeldOutPhrase, ...]
    base: ModelResult
    tuned: ModelResult
    difference: Difference
    names: tuple[NameCount, ...]
    seed: int
    window_in_use: Window = "standard"
    """In which windows the tuned model hears in use. Here both heard whole ones, so that only training differs."""
    notes: tuple[str, ...] = ()
    """What a reader must know of how the phrases were chosen, in words."""

    @property
    def n(self) -> int:
        """Phrases judged."""
        return len(self.phrases)

    @property
    def headline(self) -> Headline:
        return headline(self.base.score.words, self.tuned.score.words, self.difference.verdict)

    @property
    def warnings(self) -> tuple[str, ...]:
        return (*self.notes, *warnings(self.base.score, self.tuned.score, self.language))

    @property
    def rows(self) -> tuple[PhraseResult, ...]:
        """The phrases in the order they were given."""
        return tuple(
            PhraseResult(*row)
            for row in zip(
                self.phrases,
                self.base.transcripts,
                self.tuned.transcripts,
                self.base.score.utterances,
                self.tuned.score.utterances,
                self.base.hallucinations.overlong,
                self.tuned.hallucinations.overlong,
                strict=True,
            )
        )

    def to_json(self) -> dict[str, object]:
        """Plain values for ``evaluation.json`` and ``evaluate --json``; rates are fractions, not per cent.

        Keys are a contract: some may be added, none renamed. Audio goes by its file name alone, so that a published
        file tells nothing of the folders of this computer.
        """
        return {
            "n": self.n,
            "language": self.language,
            "headline": self.headline.text,
            "verdict": self.difference.verdict,
            "sentence": self.difference.sentence,
            "warnings": list(self.warnings),
            "base": _model_json(self.base),
            "tuned": _model_json(self.tuned),
            "difference": {
                "wer": self.difference.wer,
                "wer_low": self.difference.interval.low,
                "wer_high": self.difference.interval.high,
                "p": self.difference.p,
            },
            "names": [asdict(name) for name in self.names],
            "phrases": [_phrase_json(row) for row in self.rows],
            "seed": self.seed,
            "windows": {"judged": "standard", "in_use": self.window_in_use},
        }


def evaluate(
    phrases: Sequence[HeldOutPhrase],
    *,
    base: Transcriber,
    tuned: Transcriber,
    language: str | None,
    silence: Sequence[AudioSource] = (),
    names: Sequence[str] = (),
    seed: int = 0,
    window_in_use: Window = "standard",
) -> Evaluation:
    """Let both models hear the same phrases, count, and compare.

    Parameters
    ----------
    phrases
        What was held out of training; at least one.
    base, tuned
        Each is called once, with the phrases' audio followed by the silent clips.
    language
        Two-letter code whose rules decide what the same word is; None for the general ones.
    silence
        Clips without speech: anything written on them is made up.
    names
        Names the person cares about, counted apart; those that phrases were recorded for are counted anyway.
    seed
        Of the intervals and the test.
    window_in_use
        In which windows the tuned model hears when it is used; told, not decided here.

    Raises
    ------
    TooLittleDataError
        when there is no phrase.
    UsageError
        when a name has no letters.
    ValueError
        when a transcriber does not return one text for each file.
    """
    if not phrases:
        raise TooLittleDataError(
            "there is no phrase to judge on", mend="Record or import more phrases: some are kept apart to judge on."
        )
    references = [phrase.text for phrase in phrases]
    clips = [*(phrase.audio for phrase in phrases), *silence]
    base_texts, tuned_texts = _transcribe(base, clips), _transcribe(tuned, clips)
    base_score = score(references, base_texts[: len(phrases)], language)
    tuned_score = score(references, tuned_texts[: len(phrases)], language)
    comparison = compare(base_score, tuned_score, seed)
    return Evaluation(
        language=language,
        phrases=tuple(phrases),
        base=_result(base_texts, base_score, comparison.base_wer, comparison.base_cer, language),
        tuned=_result(tuned_texts, tuned_score, comparison.tuned_wer, comparison.tuned_cer, language),
        difference=comparison.difference,
        names=count_names([*names, *_recorded_names(phrases)], base_score, tuned_score, language),
        seed=seed,
        window_in_use=window_in_use,
    )


def _recorded_names(phrases: Sequence[HeldOutPhrase]) -> list[str]:
    return [phrase.about for phrase in phrases if phrase.about is not None]


def _transcribe(transcriber: Transcriber, clips: Sequence[AudioSource]) -> list[str]:
    texts = transcriber(clips)
    if len(texts) != len(clips):
        raise ValueError(f"the transcriber returned {len(texts)} texts for {len(clips)} audio files")
    return texts


def _result(
    texts: list[str], phrase_score: CorpusScore, wer: Interval, cer: Interval, language: str | None
) -> ModelResult:
    phrases = len(phrase_score.utterances)
    return ModelResult(
        transcripts=tuple(texts[:phrases]),
        score=phrase_score,
        accent_folded=phrase_score.accent_folded(),
        wer_interval=wer,
        cer_interval=cer,
        hallucinations=find_hallucinations(phrase_score, texts[phrases:], language),
    )


def _model_json(result: ModelResult) -> dict[str, object]:
    made_up = result.hallucinations
    return {
        "wer": result.score.wer,
        "wer_low": result.wer_interval.low,
        "wer_high": result.wer_interval.high,
        "cer": result.score.cer,
        "cer_low": result.cer_interval.low,
        "cer_high": result.cer_interval.high,
        "wer_accent_folded": result.accent_folded.wer,
        "cer_accent_folded": result.accent_folded.cer,
        "words": _counts_json(result.score.words),
        "hallucination_rate": made_up.rate,
        "overlong_phrases": made_up.overlong_count,
        "silent_clips": len(made_up.on_silence),
        "silent_clips_with_text": made_up.silence_count,
        "on_silence": list(made_up.on_silence),
    }


def _phrase_json(row: PhraseResult) -> dict[str, object]:
    def side(text: str, utterance: UtteranceScore, overlong: bool) -> dict[str, object]:
        return {
            "text": text,
            "wer": utterance.words.rate,
            "words": _counts_json(utterance.words),
            "overlong": overlong,
            "edits": [asdict(edit) for edit in utterance.edits],
        }

    return {
        "id": row.phrase.id,
        "audio": row.phrase.audio.name,
        "text": row.phrase.text,
        "base": side(row.base_text, row.base, row.base_overlong),
        "tuned": side(row.tuned_text, row.tuned, row.tuned_overlong),
    }


def _counts_json(counts: ErrorCounts) -> dict[str, int]:
    return asdict(counts)
