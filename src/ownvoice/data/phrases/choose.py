"""Which phrases a person is shown, and in which order: search, topic, and what they starred, hid or found too hard.

Works on any phrases, wherever they come from. How marks are kept is told in ``data/phrase_marks.py``.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from ownvoice.data.phrase_marks import PhraseMarks
from ownvoice.data.phrases.bank import Phrase
from ownvoice.data.phrases.coverage import coverage
from ownvoice.data.split import fold_text

SOUNDS, WORDS, LENGTH = 0.5, 0.3, 0.2
"""How much shared pairs of sounds, shared words, and being as long count in :func:`likeness`; together 1."""


_NO_MARKS = PhraseMarks()


def choose_phrases(
    phrases: Sequence[Phrase],
    marks: PhraseMarks = _NO_MARKS,
    *,
    search: str = "",
    topic: str | None = None,
    starred: bool = False,
) -> list[Phrase]:
    """Those of ``phrases`` that may be shown, in their order, but the more like one too hard the later.

    Hidden and too hard ones never are. A phrase just like a too hard one moves back by as many places as there are
    phrases, one half like it by half as many.

    Parameters
    ----------
    search
        Letters that must stand in the text, word by word; case, accents and punctuation do not matter.
    topic
        Only phrases on it.
    starred
        Only phrases with a star.
    """
    wanted = _plain(search).split()
    too_hard = marks.of("too_hard")
    hard = [phrase for phrase in phrases if phrase.id in too_hard]
    never = marks.of("hidden") | too_hard
    shown = [
        phrase
        for phrase in phrases
        if phrase.id not in never
        and topic in (None, phrase.topic)
        and (not starred or phrase.id in marks.starred)
        and all(word in _plain(phrase.text) for word in wanted)
    ]
    if not hard:
        return shown
    rarity = _Rarity(phrases)
    places = {phrase.id: place for place, phrase in enumerate(phrases)}
    burden = {phrase.id: max(likeness(phrase, one, rarity.of) for one in hard) for phrase in shown}
    return sorted(shown, key=lambda phrase: places[phrase.id] + burden[phrase.id] * len(phrases))


def likeness(phrase: Phrase, hard: Phrase, rarity: dict[object, float]) -> float:
    """How much of what may make ``hard`` hard is in ``phrase`` too, from 0 to 1.

    Pairs of sounds and words count by their ``rarity`` among the phrases at hand, so that an unusual cluster weighs
    more than "the". Where the sounds of either are not known, words count in their place.
    """
    words = _shared(_words(phrase), _words(hard), rarity)
    pairs, hard_pairs = coverage([phrase]).diphones, coverage([hard]).diphones
    sounds = _shared(pairs, hard_pairs, rarity) if pairs and hard_pairs else words
    return SOUNDS * sounds + WORDS * words + LENGTH * min(1.0, phrase.words / hard.words)


class _Rarity:
    """How rare each word and pair of sounds is: the logarithm of one over the share of phrases that hold it."""

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        counts: Counter[object] = Counter()
        for phrase in phrases:
            counts.update(coverage([phrase]).diphones)
            counts.update(_words(phrase))
        self.of = {kind: math.log(1 + len(phrases) / count) for kind, count in counts.items()}


def _shared(here: Iterable[object], there: frozenset[object], rarity: dict[object, float]) -> float:
    whole = math.fsum(rarity.get(kind, 0.0) for kind in there)
    return math.fsum(rarity.get(kind, 0.0) for kind in there.intersection(here)) / whole if whole else 0.0


def _words(phrase: Phrase) -> frozenset[object]:
    return frozenset(fold_text(phrase.text).split())


def _plain(text: str) -> str:
    """``text`` folded and without accents, for finding it by whatever keyboard there is."""
    parted = unicodedata.normalize("NFD", fold_text(text))
    return unicodedata.normalize("NFC", "".join(mark for mark in parted if unicodedata.combining(mark) == 0))
