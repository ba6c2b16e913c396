"""Word and character error rates of one set of transcripts, with the words behind every error.

Alignment is jiwer's (Levenshtein distance). Rates are corpus figures: all errors over all reference words, so a long
phrase weighs more than a short one, and a rate can be over 1 where words were invented. How sure a figure is, and
whether two differ, is told by :mod:`ownvoice.evaluation.compare`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import Literal

import jiwer

from ownvoice.evaluation.normalize import fold_accents, normalise

EditKind = Literal["equal", "substitute", "insert", "delete"]


@dataclass(frozen=True)
class ErrorCounts:
    """Errors against a reference of ``length`` words or characters; counts of several utterances can be added."""

    substitutions: int
    deletions: int
    insertions: int
    length: int
    """Words or characters in the reference."""

    @property
    def errors(self) -> int:
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float:
        """Errors over the reference's length: 0 is perfect, more than 1 is possible.

        With an empty reference it is the number of insertions, as in jiwer: 0 for silence heard as silence.
        """
        return self.errors / max(1, self.length)

    @property
    def hits(self) -> int:
        """Words or characters of the reference that were got right, wherever others were added."""
        return self.length - self.substitutions - self.deletions

    def __add__(self, other: ErrorCounts) -> ErrorCounts:
        return ErrorCounts(
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
            self.length + other.length,
        )


NO_ERRORS = ErrorCounts(0, 0, 0, 0)


@dataclass(frozen=True)
class WordEdit:
    """One step of the alignment: a word of the reference against a word of the hypothesis."""

    kind: EditKind
    reference: str
    """The word said; empty for an insertion."""
    hypothesis: str
    """The word written; empty for a deletion."""


@dataclass(frozen=True)
class UtteranceScore:
    """One phrase: both sides normalised, how their words align, and the counts."""

    reference: str
    hypothesis: str
    edits: tuple[WordEdit, ...]
    words: ErrorCounts
    characters: ErrorCounts
    """Code points of the normalised text, spaces between words among them."""


@dataclass(frozen=True)
class CorpusScore:
    """All phrases of one model; ``wer`` and ``cer`` are total errors over total reference length."""

    utterances: tuple[UtteranceScore, ...]

    @cached_property
    def words(self) -> ErrorCounts:
        return sum((utterance.words for utterance in self.utterances), NO_ERRORS)

    @cached_property
    def characters(self) -> ErrorCounts:
        return sum((utterance.characters for utterance in self.utterances), NO_ERRORS)

    @property
    def wer(self) -> float:
        return self.words.rate

    @property
    def cer(self) -> float:
        return self.characters.rate

    def accent_folded(self) -> CorpusScore:
        """The same transcripts with accents removed from both sides: what is left are errors that change more."""
        return _score(
            [fold_accents(utterance.reference) for utterance in self.utterances],
            [fold_accents(utterance.hypothesis) for utterance in self.utterances],
        )


def score(references: Sequence[str], hypotheses: Sequence[str], language: str | None) -> CorpusScore:
    """Normalise both sides by the language's rules, align them word by word, and count.

    Parameters
    ----------
    references, hypotheses
        What was said and what was written, one text an utterance, in the same order; either may be empty text.
    language
        Two-letter code, or None for the general rules.

    Raises
    ------
    ValueError
        when there are not as many hypotheses as references.
    """
    return _score(
        [normalise(reference, language) for reference in references],
        [normalise(hypothesis, language) for hypothesis in hypotheses],
    )


def _score(references: list[str], hypotheses: list[str]) -> CorpusScore:
    if len(references) != len(hypotheses):
        raise ValueError(f"{len(references)} references against {len(hypotheses)} hypotheses")
    if not references:
        return CorpusScore(())
    words = jiwer.process_words(references, hypotheses)
    characters = jiwer.process_characters(references, hypotheses)
    utterances = []
    for index, (reference, hypothesis) in enumerate(zip(references, hypotheses, strict=True)):
        chunks = words.alignments[index]
        utterances.append(
            UtteranceScore(
                reference=reference,
                hypothesis=hypothesis,
                edits=_edits(words.references[index], words.hypotheses[index], chunks),
                words=_count(chunks, len(words.references[index])),
                characters=_count(characters.alignments[index], len(characters.references[index])),
            )
        )
    return CorpusScore(tuple(utterances))


def _edits(reference: list[str], hypothesis: list[str], chunks: list[jiwer.AlignmentChunk]) -> tuple[WordEdit, ...]:
    edits: list[WordEdit] = []
    for chunk in chunks:
        said = reference[chunk.ref_start_idx : chunk.ref_end_idx]
        written = hypothesis[chunk.hyp_start_idx : chunk.hyp_end_idx]
        edits += [WordEdit(chunk.type, *pair) for pair in zip_longest(said, written, fillvalue="")]
    return tuple(edits)


def _count(chunks: list[jiwer.AlignmentChunk], length: int) -> ErrorCounts:
    totals = {"equal": 0, "substitute": 0, "delete": 0, "insert": 0}
    for chunk in chunks:
        totals[chunk.type] += max(chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx)
    return ErrorCounts(totals["substitute"], totals["delete"], totals["insert"], length)
