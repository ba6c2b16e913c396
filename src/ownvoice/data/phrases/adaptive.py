"""What to record next: the phrases that hold most of what a model still gets wrong in this voice.

From words that were heard right or wrong it estimates how often each word, phone and pair of phones fails, weighs that
by how common each is, and orders phrases by how much of it they hold. Which model heard what is not known here, and
nothing is transcribed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ownvoice.data.phrases.bank import Phrase
from ownvoice.data.split import fold_text

Unit = tuple[str, ...]
"""``("word", w)``, ``("phone", p)``, ``("pair", p, q)`` or ``("shape", s)``: something a phrase can hold."""

KINDS = ("word", "phone", "pair", "shape")

EDGE = "#"
"""Stands before the first and after the last phone of a word in a pair: sounds fail most where words meet."""

PRIOR = 3.0
"""Each unit's error rate begins as the voice's mean, worth so many hearings: few hearings prove little."""

AGAIN = 0.5
"""What a unit's second chosen phrase counts of its first, the third of the second, and so on."""

LENGTH_COST = 0.7
"""A phrase's worth is divided by its number of words to this power: with 0 the longest would always win, with 1 the
shortest; with 0.7 those chosen are about as long as the rest."""


@dataclass(frozen=True)
class HeardWord:
    """One word that was said, and whether the model wrote it."""

    word: str
    right: bool


@dataclass(frozen=True)
class UnitErrors:
    """How one unit fared."""

    said: int
    wrong: int


@dataclass(frozen=True)
class Weaknesses:
    """What a model gets wrong in a voice."""

    units: Mapping[Unit, UnitErrors]
    said: int
    wrong: int
    """Words said, and how many of them were not written."""

    def rate(self, unit: Unit) -> float:
        """The estimated chance that ``unit`` fails, from 0 to 1: its errors, drawn towards the mean of the voice."""
        mean = self.wrong / self.said if self.said else 0.0
        errors = self.units.get(unit, UnitErrors(0, 0))
        return (errors.wrong + PRIOR * mean) / (errors.said + PRIOR)

    def worst(self, kind: str, count: int) -> list[Unit]:
        """The units of a kind (:data:`KINDS`) that fail most often by :meth:`rate`, of those that failed at all."""
        failed = [unit for unit, errors in self.units.items() if unit[0] == kind and errors.wrong]
        return sorted(failed, key=lambda unit: (-self.rate(unit), unit))[:count]


def find_weaknesses(heard: Iterable[Sequence[HeardWord]], lexicon: Mapping[str, str]) -> Weaknesses:
    """Count what failed.

    Parameters
    ----------
    heard
        The words of each phrase as they were said, in order.
    lexicon
        Folded words to their phones, parted by spaces; of a word that is not in it only the word itself counts.
    """
    said: Counter[Unit] = Counter()
    wrong: Counter[Unit] = Counter()
    words = errors = 0
    for phrase in heard:
        for place in phrase:
            units = [*_units(place.word, lexicon), _shape(len(phrase))]
            said.update(units)
            words += 1
            if not place.right:
                wrong.update(units)
                errors += 1
    return Weaknesses({unit: UnitErrors(count, wrong[unit]) for unit, count in said.items()}, words, errors)


def order_by_weakness(
    candidates: Sequence[Phrase],
    weaknesses: Weaknesses,
    lexicon: Mapping[str, str],
    *,
    count: int | None = None,
) -> list[Phrase]:
    """The ``count`` phrases (all by default) of ``candidates`` that teach most against ``weaknesses``, best first.

    Greedy: a phrase's worth is the sum, over the units it holds, of how often each fails times how common it is among
    the candidates, less each time one was chosen before. Of equals the earlier candidate comes first.
    """
    held = [_text_units(phrase.text, lexicon) for phrase in candidates]
    common = Counter(unit for units in held for unit in units)
    need = _need(common, weaknesses)
    chosen: Counter[Unit] = Counter()
    left = list(range(len(candidates)))
    order: list[Phrase] = []
    while left and (count is None or len(order) < count):
        best = max(left, key=lambda place: _worth(held[place], need, chosen) / candidates[place].words ** LENGTH_COST)
        left.remove(best)
        chosen.update(held[best])
        order.append(candidates[best])
    return order


def _need(common: Mapping[Unit, int], weaknesses: Weaknesses) -> dict[Unit, float]:
    """How much of all errors to come each unit stands for; words, phones, pairs and shapes have equal parts."""
    raw = {unit: times * weaknesses.rate(unit) for unit, times in common.items()}
    sums = {kind: math.fsum(value for unit, value in raw.items() if unit[0] == kind) for kind in KINDS}
    return {unit: value / sums[unit[0]] for unit, value in raw.items() if sums[unit[0]]}


def _worth(units: Iterable[Unit], need: Mapping[Unit, float], chosen: Counter[Unit]) -> float:
    return math.fsum(need.get(unit, 0.0) * AGAIN ** chosen[unit] for unit in units)


def _text_units(text: str, lexicon: Mapping[str, str]) -> frozenset[Unit]:
    words = fold_text(text).split()
    return frozenset(unit for word in words for unit in _units(word, lexicon)) | {_shape(len(words))}


def _units(word: str, lexicon: Mapping[str, str]) -> list[Unit]:
    phones = lexicon.get(word, "").split()
    if not phones:
        return [("word", word)]
    pairs = pairwise([EDGE, *phones, EDGE])
    return [("word", word), *(("phone", phone) for phone in set(phones)), *(("pair", *pair) for pair in set(pairs))]


def _shape(words: int) -> Unit:
    return ("shape", "short" if words <= 4 else "medium" if words <= 7 else "long")
