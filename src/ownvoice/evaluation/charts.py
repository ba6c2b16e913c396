"""The numbers behind the page's two charts: where each mark goes on a scale that people can read.

Drawing itself is in ``templates/charts.html.j2``. Positions are in per cent of the chart's width, so that the charts
fit a telephone and a sheet of paper without being scaled, and their text stays text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ownvoice.evaluation.evaluate import Evaluation
from ownvoice.evaluation.wer import NO_ERRORS, ErrorCounts

LENGTHS = ((3, "Up to 3 words"), (6, "4 to 6 words"), (9, "7 to 9 words"), (14, "10 to 14 words"))
"""Upper end of each group of phrases, in words said, and its name; what is longer comes last."""
LONGER = "15 words or more"


@dataclass(frozen=True)
class Scale:
    """An axis from 0 to a round number."""

    top: float
    ticks: tuple[float, ...]

    def position(self, value: float) -> float:
        """Place of ``value`` in per cent of the axis."""
        return round(100 * value / self.top, 2)


@dataclass(frozen=True)
class LengthGroup:
    """Phrases of similar length and both models' errors on them."""

    label: str
    phrases: int
    base: ErrorCounts
    tuned: ErrorCounts


def scale_to(largest: float) -> Scale:
    """An axis of at most five steps of 1, 2 or 5 times a power of ten that reaches ``largest``, 5 % at least."""
    largest = max(largest, 0.05)
    power = 10 ** math.floor(math.log10(largest / 5))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power * 5 >= largest * (1 - 1e-9))
    steps = math.ceil(largest / step - 1e-9)
    return Scale(step * steps, tuple(step * number for number in range(steps + 1)))


def group_by_length(evaluation: Evaluation) -> tuple[LengthGroup, ...]:
    """Both models' errors by words in the phrase; groups without a phrase are left out."""
    groups = []
    low = -1.0
    for high, label in (*LENGTHS, (math.inf, LONGER)):
        rows = [row for row in evaluation.rows if low < row.base.words.length <= high]
        if rows:
            base = sum((row.base.words for row in rows), NO_ERRORS)
            tuned = sum((row.tuned.words for row in rows), NO_ERRORS)
            groups.append(LengthGroup(label, len(rows), base, tuned))
        low = high
    return tuple(groups)
