"""How sure an error rate is, and whether two models differ by more than chance.

Utterances are drawn again and again with replacement, and the rates computed on each draw: the bootstrap of Bisani
and Ney, "Bootstrap estimates for confidence intervals in ASR performance evaluation", ICASSP 2004. Both models are
always judged on the same draw, so that a hard phrase is hard for both. A difference is called one when its interval
leaves out zero *and* a paired randomisation test agrees (Noreen, "Computer-intensive methods for testing hypotheses",
1989): with a handful of phrases the bootstrap alone is too sure of itself. Everything is seeded.

The figures tell of this voice and phrases like these; they say nothing of other voices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ownvoice.evaluation.wer import CorpusScore
from ownvoice.quantities import counted

DRAWS = 10_000
"""Draws of the bootstrap and of the randomisation test: enough that the third digit of an interval stands still."""
LEVEL = 0.95
"""Of the intervals, and one minus the size of the test."""
_BLOCK = 2_000_000  # numbers held at once, so that ten thousand phrases fit into memory as ten do

Verdict = Literal["better", "worse", "unclear"]


@dataclass(frozen=True)
class Interval:
    """The middle 95 % of what the rate was on the draws."""

    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """Tuned minus base WER on the same phrases: negative is better."""

    wer: float
    interval: Interval
    p: float
    """How often a difference this large arises when the two models' results are swapped by the toss of a coin."""
    verdict: Verdict
    phrases: int

    @property
    def sentence(self) -> str:
        """The verdict in plain words."""
        chance = "a difference this large would hardly arise by chance"
        match self.verdict:
            case "better":
                return f"The tuned model is better: {chance}."
            case "worse":
                return f"The tuned model is worse: {chance}."
            case "unclear":
                return f"The two models cannot be told apart with {counted(self.phrases, 'phrase')}."


@dataclass(frozen=True)
class Comparison:
    """Intervals of both models' rates and of their difference, all from the same draws."""

    base_wer: Interval
    base_cer: Interval
    tuned_wer: Interval
    tuned_cer: Interval
    difference: Difference


def compare(base: CorpusScore, tuned: CorpusScore, seed: int = 0) -> Comparison:
    """Compare two models on the same utterances.

    Parameters
    ----------
    base, tuned
        Scores against the same references in the same order; at least one utterance.
    seed
        The same seed gives the same intervals and the same verdict.

    Raises
    ------
    ValueError
        when the references are not the same.
    """
    if [one.reference for one in base.utterances] != [one.reference for one in tuned.utterances]:
        raise ValueError("the two models were not judged on the same references")
    rng = np.random.default_rng(seed)
    counts = np.array(
        [
            (
                before.words.errors,
                after.words.errors,
                before.words.length,
                before.characters.errors,
                after.characters.errors,
                before.characters.length,
            )
            for before, after in zip(base.utterances, tuned.utterances, strict=True)
        ],
        dtype=np.float64,  # whole numbers all the same; BLAS multiplies only floats fast
    )
    totals = _bootstrap_totals(counts, rng)
    words, characters = np.maximum(1, totals[:, 2]), np.maximum(1, totals[:, 5])
    interval = _interval((totals[:, 1] - totals[:, 0]) / words)
    p = _randomisation_p(counts[:, 1] - counts[:, 0], rng)
    return Comparison(
        base_wer=_interval(totals[:, 0] / words),
        base_cer=_interval(totals[:, 3] / characters),
        tuned_wer=_interval(totals[:, 1] / words),
        tuned_cer=_interval(totals[:, 4] / characters),
        difference=Difference(tuned.wer - base.wer, interval, p, _verdict(interval, p), len(counts)),
    )


def _bootstrap_totals(counts: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Sums of ``counts`` (utterances, columns) over each draw of as many utterances: (DRAWS, columns)."""
    n = len(counts)
    totals = []
    for rows in _blocks(n):
        drawn = rng.integers(n, size=(rows, n)) + n * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n)
        totals.append(times.astype(np.float64) @ counts)
    return np.concatenate(totals)


def _randomisation_p(differences: NDArray[np.float64], rng: np.random.Generator) -> float:
    """Two-sided p of the sum of paired ``differences`` (utterances,) when each sign is tossed anew."""
    differences = differences[differences != 0]
    if not len(differences):
        return 1.0
    observed = abs(differences.sum())
    as_large = 0
    for rows in _blocks(len(differences)):
        signs = rng.integers(2, size=(rows, len(differences)), dtype=np.int8) * 2.0 - 1.0
        as_large += int(np.count_nonzero(np.abs(signs @ differences) >= observed))
    return (as_large + 1) / (DRAWS + 1)


def _blocks(width: int) -> Iterator[int]:
    """Numbers of rows that add up to ``DRAWS``, each small enough for a block of ``width`` columns."""
    rows = max(1, _BLOCK // width)
    for start in range(0, DRAWS, rows):
        yield min(rows, DRAWS - start)


def _interval(rates: NDArray[np.float64]) -> Interval:
    low, high = np.quantile(rates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))


def _verdict(interval: Interval, p: float) -> Verdict:
    if p >= 1 - LEVEL or interval.low <= 0 <= interval.high:
        return "unclear"
    return "better" if interval.high < 0 else "worse"
