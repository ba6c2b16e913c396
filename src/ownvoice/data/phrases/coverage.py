"""How much of a language phrases hold: its phones, and its diphones (two phones in a row).

A recogniser learns a sound in its surroundings, so diphones tell more than phones; both are counted as kinds, not as
occurrences. Pairs reach over the ends of words, since speech does, but not over a pause.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from ownvoice.data.phrases.bank import Phrase

PAUSE = "|"
"""Stands between phones where no pair is counted: a pause, or a word read by another language's rules."""


@dataclass(frozen=True)
class Coverage:
    """The different phones and diphones of some phrases."""

    phones: frozenset[str]
    diphones: frozenset[tuple[str, str]]

    def share_of_phones(self, whole: Coverage) -> float:
        """The share of the phones of ``whole`` that are here too, from 0 to 1; 1 when ``whole`` has none."""
        return len(self.phones & whole.phones) / len(whole.phones) if whole.phones else 1.0

    def share_of_diphones(self, whole: Coverage) -> float:
        """As :meth:`share_of_phones`, of diphones."""
        return len(self.diphones & whole.diphones) / len(whole.diphones) if whole.diphones else 1.0


def coverage(phrases: Iterable[Phrase]) -> Coverage:
    """The phones and diphones that occur in ``phrases``; one whose phones are not known adds nothing."""
    runs = [run for phrase in phrases for run in phone_runs(phrase)]
    return Coverage(
        phones=frozenset(phone for run in runs for phone in run),
        diphones=frozenset(pair for run in runs for pair in pairwise(run)),
    )


def phone_runs(phrase: Phrase) -> Iterator[list[str]]:
    """The phones of ``phrase`` between its pauses."""
    for run in (phrase.phones or "").split(PAUSE):
        if phones := run.split():
            yield phones
