"""The order in which a bank is read: any first part of it is a good choice.

Greedy: next comes the phrase that adds most, among those that keep the first part mixed. What a phrase adds is counted
in diphones, and a phone that was never heard counts as several. A kind heard before still counts a little, less each
time, so that the order goes on making sense when everything has been heard once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise
from math import fsum

from ownvoice.data.phrases import Phrase
from ownvoice.data.phrases.coverage import phone_runs

NEW_PHONE = 8.0
"""What a new phone counts, in new diphones: with less, rare phones come late; much more changes nothing."""

AGAIN = 0.1
"""What the second hearing counts of the first, the third of the second, and so on."""

GENTLE_START = ((5, 14), (10, 20), (15, 28))
"""Up to this place in the order, phrases have at most this many phones: words would not do, long as German's are."""

LEAD = 3.0
"""How many phrases a topic or a length may be ahead of its share: less would leave little to choose from."""


def coverage_order(phrases: Iterable[Phrase], *, mixed: bool = True) -> list[Phrase]:
    """All of ``phrases``, the ones that teach most first; the order they come in does not matter.

    With ``mixed`` false nothing but what they add is minded, to see what the mixing costs.
    """
    left = sorted(phrases, key=lambda phrase: (phrase.words, phrase.text))
    kinds = {phrase.id: _kinds(phrase) for phrase in left}
    heard: Counter[Hashable] = Counter()
    mix = _Mix(left)
    order: list[Phrase] = []
    while left:
        allowed = mix.allowed(left, place=len(order) + 1) if mixed else left
        best = max(allowed, key=lambda phrase: _worth(kinds[phrase.id], heard))  # of equals, the first and shortest
        left.remove(best)
        heard.update(kinds[best.id])
        mix.took(best)
        order.append(best)
    return order


def _kinds(phrase: Phrase) -> frozenset[Hashable]:
    runs = list(phone_runs(phrase))
    return frozenset(phone for run in runs for phone in run) | {pair for run in runs for pair in pairwise(run)}


def _worth(kinds: Iterable[Hashable], heard: Counter[Hashable]) -> float:
    # fsum rounds once, so the order of a set, which changes from run to run, cannot decide between near equals
    return fsum((NEW_PHONE if isinstance(kind, str) else 1.0) * AGAIN ** heard[kind] for kind in kinds)


def _length(phrase: Phrase) -> str:
    return "short" if phrase.words <= 4 else "medium" if phrase.words <= 7 else "long"


class _Mix:
    """Keeps each topic and each length near its share of the whole bank, in every first part of the order."""

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        self._total = len(phrases)
        self._of_group = Counter(group for phrase in phrases for group in _groups(phrase))
        self._taken: Counter[str] = Counter()
        self._phones = {phrase.id: sum(map(len, phone_runs(phrase))) for phrase in phrases}

    def took(self, phrase: Phrase) -> None:
        self._taken.update(_groups(phrase))

    def allowed(self, left: Sequence[Phrase], place: int) -> Sequence[Phrase]:
        """Those of ``left`` that may come at ``place``, counted from 1; all of them where none may."""
        most = next((phones for last, phones in GENTLE_START if place <= last), None)
        gentle = [phrase for phrase in left if most is None or self._phones[phrase.id] <= most] or left
        ahead = {
            group: self._taken[group] + 1 > size * place / self._total + LEAD for group, size in self._of_group.items()
        }
        return [phrase for phrase in gentle if not any(ahead[group] for group in _groups(phrase))] or gentle


def _groups(phrase: Phrase) -> tuple[str, str]:
    return (phrase.topic or "", _length(phrase))
