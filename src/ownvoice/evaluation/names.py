"""The names a person cares about: how often they were said, and how often each model got them right.

A name is found in a reference by its words, after normalising, also with a possessive 's. It is right when each of
its words was written, in order, with nothing in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ownvoice.errors import UsageError
from ownvoice.evaluation.normalize import normalise
from ownvoice.evaluation.wer import CorpusScore, UtteranceScore


@dataclass(frozen=True)
class NameCount:
    """One name over all test phrases."""

    name: str
    """As the person wrote it."""
    said: int
    base_right: int
    tuned_right: int


def count_names(
    names: Sequence[str], base: CorpusScore, tuned: CorpusScore, language: str | None
) -> tuple[NameCount, ...]:
    """Count each name in the references and in both models' output; a name listed twice is counted once.

    Raises
    ------
    UsageError
        when a name holds no letter and no digit.
    """
    counts = []
    for name in dict.fromkeys(names):
        words = [_bare(word) for word in normalise(name, language).split()]
        if not words:
            raise UsageError(f"the name {name!r} has no letters", mend="Take it off the list of names.")
        said, base_right = _occurrences(words, base)
        _, tuned_right = _occurrences(words, tuned)
        counts.append(NameCount(name, said, base_right, tuned_right))
    return tuple(counts)


def _occurrences(words: list[str], score: CorpusScore) -> tuple[int, int]:
    """How often ``words`` stand in the references, and how often they were also written."""
    found = [right for utterance in score.utterances for right in _find(words, utterance)]
    return len(found), sum(found)


def _find(words: list[str], utterance: UtteranceScore) -> list[bool]:
    """For each place of ``words`` in the utterance's reference, whether they were written there."""
    steps = [number for number, edit in enumerate(utterance.edits) if edit.reference]  # steps that hold a word said
    found = []
    for start in range(len(steps) - len(words) + 1):
        place = utterance.edits[steps[start] : steps[start + len(words) - 1] + 1]
        if [_bare(edit.reference) for edit in place if edit.reference] == words:
            found.append([_bare(edit.hypothesis) for edit in place] == words)
    return found


def _bare(word: str) -> str:
    return word.removesuffix("'s")
