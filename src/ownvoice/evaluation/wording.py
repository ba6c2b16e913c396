"""What an evaluation says in plain words: the headline and the warnings.

Sentences only, from counts; the page, the command line and the app all say the same. A person who has never heard of
error rates reads these first, so they claim no more than the figures do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ownvoice.evaluation.compare import Verdict
from ownvoice.evaluation.wer import CorpusScore, ErrorCounts
from ownvoice.quantities import counted

FEW_PHRASES = 30
"""Below this the interval itself is not to be trusted, and the reader is told so."""
_UNSPACED = {"zh": "Chinese", "ja": "Japanese", "th": "Thai", "lo": "Lao", "km": "Khmer", "my": "Burmese"}
_SCALES = (10, 20, 100)

HeadlineKind = Literal["better", "worse", "same", "unclear", "fewer", "more"]
_HEADLINES: Mapping[HeadlineKind, str] = {
    "better": "It now gets {now} of {of} words; before, {before} of {of}",
    "worse": "It got worse: now {now} of {of} words; before, {before} of {of}",
    "same": "No clear change: {now} of {of} words, before and now",
    "unclear": "No clear change: now {now} of {of} words; before, {before} of {of}",
    "fewer": "It now makes fewer mistakes: {mistakes_now} for 100 words; before, {mistakes_before}",
    "more": "It now makes more mistakes: {mistakes_now} for 100 words; before, {mistakes_before}",
}


@dataclass(frozen=True)
class Headline:
    """The result in one sentence, and the numbers in it for a picture of them."""

    kind: HeadlineKind
    """Which sentence it is; the app has each in its own languages."""
    of: int
    """Words in the picture: 10, 20 or 100."""
    before: int
    """How many of them the base model gets right."""
    now: int
    """How many of them the tuned model gets right."""
    mistakes_before: str
    mistakes_now: str
    """Wrong, missing and extra words for 100 words said."""

    @property
    def text(self) -> str:
        """The sentence in English."""
        return _HEADLINES[self.kind].format_map(vars(self))


def headline(base: ErrorCounts, tuned: ErrorCounts, verdict: Verdict) -> Headline:
    """Say "9 of 10 words" for both models, on the coarsest scale that tells them apart and is true.

    Never "10 of 10" while a word was missed, nor "0 of 10" when one was right. Extra words are no part of this
    picture; where they decide the verdict against it, the sentence speaks of mistakes instead.
    """
    of = next((of for of in _SCALES if _is_fair(of, base, tuned)), _SCALES[-1])
    before, now = _of(of, base), _of(of, tuned)
    kind: HeadlineKind
    if (verdict == "better" and now <= before) or (verdict == "worse" and now >= before):
        kind = "fewer" if verdict == "better" else "more"
    elif verdict == "unclear":
        kind = "same" if now == before else "unclear"
    else:
        kind = verdict
    return Headline(kind, of, before, now, _in_hundred(base), _in_hundred(tuned))


def warnings(base: CorpusScore, tuned: CorpusScore, language: str | None) -> tuple[str, ...]:
    """What a reader should know before believing the figures; empty when there is nothing."""
    phrases = len(tuned.utterances)
    said = []
    if phrases < FEW_PHRASES:
        said.append(
            f"Only {counted(phrases, 'phrase was', 'phrases were')} judged, so these figures can be far off. "
            f"With {FEW_PHRASES} or more they begin to be worth something; with 100 they are good."
        )
    empty = sum(not utterance.reference for utterance in tuned.utterances)
    if empty:
        said.append(
            f"{counted(empty, 'phrase has', 'phrases have')} no words to compare with; "
            "whatever was written there counts as mistakes."
        )
    # No failure in n tries leaves, at 95 %, a rate of up to 1 - 0.05 ** (1 / n) (Clopper and Pearson 1934).
    one_in = math.floor(1 / (1 - 0.05 ** (1 / phrases)))
    if tuned.words.length and not tuned.words.errors and one_in > 1:
        said.append(
            f"The tuned model made no mistake in these {phrases} phrases. That does not mean it never will: "
            f"as many as 1 phrase in {one_in} may still go wrong."
        )
    figures = sum(_has_figure_error(base, index) or _has_figure_error(tuned, index) for index in range(phrases))
    if figures:
        said.append(
            f"In {counted(figures, 'phrase')} a number stands in figures on one side and in words on the "
            'other: "10" and "ten" count as different words. Write numbers in your phrases as the model writes them.'
        )
    if language in _UNSPACED:
        said.append(
            f"{_UNSPACED[language]} is written without spaces between words: "
            "trust the character error rate (CER) and not the word error rate."
        )
    return tuple(said)


def _is_fair(of: int, *models: ErrorCounts) -> bool:
    """Whether the models differ on this scale just when they differ, and none is rounded to all or nothing."""
    shown = [_rounded(of, model) for model in models]
    extremes = all(
        (right < of or model.hits == model.length) and (right > 0 or model.hits == 0)
        for right, model in zip(shown, models, strict=True)
    )
    return extremes and (len(set(shown)) == len({model.hits for model in models}))


def _of(of: int, counts: ErrorCounts) -> int:
    """Words right of ``of``, with all and nothing kept for what is truly so."""
    right = _rounded(of, counts)
    if counts.hits < counts.length:
        right = min(right, of - 1)
    return max(right, 1) if counts.hits else right


def _rounded(of: int, counts: ErrorCounts) -> int:
    return round(of * counts.hits / max(1, counts.length))


def _in_hundred(counts: ErrorCounts) -> str:
    mistakes = 100 * counts.rate
    return f"{mistakes:.0f}" if mistakes >= 10 else f"{mistakes:.1f}".removesuffix(".0")


def _has_figure_error(score: CorpusScore, index: int) -> bool:
    return any(
        edit.kind == "substitute" and edit.reference.isdigit() != edit.hypothesis.isdigit()
        for edit in score.utterances[index].edits
    )
