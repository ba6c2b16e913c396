"""Intervals and verdicts whose outcome can be worked out by hand."""

from __future__ import annotations

import pytest

from ownvoice.evaluation.compare import Interval, compare
from ownvoice.evaluation.wer import CorpusScore, score

RIGHT, HALF, WRONG = "open window", "open winter", "hope winter"


def judged(*hypotheses: str) -> CorpusScore:
    """Scores of hypotheses for "open window", said each time."""
    return score([RIGHT] * len(hypotheses), list(hypotheses), "en")


def test_alike_utterances_leave_nothing_to_chance() -> None:
    comparison = compare(judged(*[HALF] * 12), judged(*[RIGHT] * 12))
    assert comparison.base_wer == Interval(0.5, 0.5)
    assert comparison.tuned_wer == Interval(0.0, 0.0)
    assert comparison.difference.interval == Interval(-0.5, -0.5)
    assert comparison.base_cer == Interval(3 / 11, 3 / 11)  # d, o, w of "window" became t, e, r


def test_two_utterances_draw_both_extremes() -> None:
    # Of two, the same one is drawn twice in a quarter of the draws each way: far more than 2.5 %.
    assert compare(judged(RIGHT, WRONG), judged(RIGHT, WRONG)).base_wer == Interval(0.0, 1.0)


def test_interval_narrows_as_the_root_of_n() -> None:
    few = compare(judged(*[RIGHT, WRONG] * 25), judged(*[RIGHT] * 50)).base_wer
    many = compare(judged(*[RIGHT, WRONG] * 100), judged(*[RIGHT] * 200)).base_wer
    # A rate of 1/2 over n phrases, all or nothing each: 1.96 * sqrt(1/4 / n) either side.
    assert few.high - few.low == pytest.approx(2 * 0.1386, abs=0.02)
    assert many.high - many.low == pytest.approx(2 * 0.0693, abs=0.01)


def test_an_obvious_difference_is_called() -> None:
    better = compare(judged(*[HALF] * 20), judged(*[RIGHT] * 20)).difference
    assert (better.wer, better.verdict) == (-0.5, "better")
    assert better.p < 0.001
    assert better.sentence == "The tuned model is better: a difference this large would hardly arise by chance."
    worse = compare(judged(*[RIGHT] * 20), judged(*[HALF] * 20)).difference
    assert (worse.wer, worse.verdict) == (0.5, "worse")
    assert worse.sentence.startswith("The tuned model is worse")


def test_gains_and_losses_that_balance_are_no_difference() -> None:
    difference = compare(judged(*[HALF, RIGHT] * 20), judged(*[RIGHT, HALF] * 20)).difference
    assert (difference.wer, difference.verdict) == (0.0, "unclear")
    assert difference.p == 1.0
    assert difference.sentence == "The two models cannot be told apart with 40 phrases."


def test_the_same_output_is_no_difference() -> None:
    difference = compare(judged(HALF), judged(HALF)).difference
    assert (difference.p, difference.verdict) == (1.0, "unclear")
    assert difference.sentence.endswith("with 1 phrase.")


def test_five_phrases_are_too_few_and_six_are_enough() -> None:
    # All better: by coin tosses that happens, or its opposite, with 2 / 2**5 = 0.06 and 2 / 2**6 = 0.03.
    five = compare(judged(*[WRONG] * 5), judged(*[RIGHT] * 5)).difference
    assert five.interval == Interval(-1.0, -1.0)  # the bootstrap alone would be sure
    assert five.p == pytest.approx(0.0625, abs=0.01)
    assert five.verdict == "unclear"
    six = compare(judged(*[WRONG] * 6), judged(*[RIGHT] * 6)).difference
    assert six.p == pytest.approx(0.03125, abs=0.008)
    assert six.verdict == "better"


def test_seeded() -> None:
    models = judged(*[RIGHT, HALF, WRONG] * 9), judged(*[HALF, RIGHT, HALF] * 9)
    assert compare(*models, seed=7) == compare(*models, seed=7)
    assert compare(*models, seed=7).difference.p != compare(*models, seed=8).difference.p


def test_thousands_of_phrases_fit() -> None:
    base, tuned = judged(*[HALF, WRONG] * 1500), judged(*[RIGHT, WRONG] * 1500)
    difference = compare(base, tuned).difference
    assert difference.wer == -0.25
    assert difference.interval.low == pytest.approx(-0.25 - 1.96 * 0.25 / 3000**0.5, abs=0.002)


def test_other_references_are_refused() -> None:
    with pytest.raises(ValueError, match="same references"):
        compare(score(["a"], ["a"], "en"), score(["b"], ["b"], "en"))
