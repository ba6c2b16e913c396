"""Sentences claim what the counts say, and no more."""

from __future__ import annotations

import pytest

from ownvoice.evaluation.compare import Verdict
from ownvoice.evaluation.wer import CorpusScore, ErrorCounts, score
from ownvoice.evaluation.wording import headline, warnings


def heard(hits: int, of: int, extra: int = 0) -> ErrorCounts:
    return ErrorCounts(substitutions=of - hits, deletions=0, insertions=extra, length=of)


@pytest.mark.parametrize(
    ("base", "tuned", "verdict", "text"),
    [
        (heard(52, 100), heard(91, 100), "better", "It now gets 9 of 10 words; before, 5 of 10"),
        (heard(52, 100), heard(100, 100), "better", "It now gets 10 of 10 words; before, 5 of 10"),
        (heard(52, 100), heard(96, 100), "better", "It now gets 19 of 20 words; before, 10 of 20"),
        (heard(880, 1000), heard(999, 1000), "better", "It now gets 99 of 100 words; before, 88 of 100"),
        (heard(1, 1000), heard(500, 1000), "better", "It now gets 50 of 100 words; before, 1 of 100"),
        (heard(0, 50), heard(25, 50), "better", "It now gets 5 of 10 words; before, 0 of 10"),
        (heard(90, 100), heard(60, 100), "worse", "It got worse: now 6 of 10 words; before, 9 of 10"),
        (heard(80, 100), heard(80, 100), "unclear", "No clear change: 8 of 10 words, before and now"),
        (heard(80, 100), heard(83, 100), "unclear", "No clear change: now 17 of 20 words; before, 16 of 20"),
        (
            heard(80, 100, extra=60),
            heard(79, 100, extra=2),
            "better",
            "It now makes fewer mistakes: 23 for 100 words; before, 80",
        ),
        (
            heard(980, 1000, extra=0),
            heard(980, 1000, extra=35),
            "worse",
            "It now makes more mistakes: 5.5 for 100 words; before, 2",
        ),
    ],
)
def test_headline(base: ErrorCounts, tuned: ErrorCounts, verdict: Verdict, text: str) -> None:
    made = headline(base, tuned, verdict)
    assert made.text == text
    assert 0 <= made.before <= made.of
    assert 0 <= made.now <= made.of


def said(reference: str, hypothesis: str, times: int) -> CorpusScore:
    return score([reference] * times, [hypothesis] * times, "en")


def test_good_figures_need_no_warning() -> None:
    assert warnings(said("a b", "x y", 30), said("a b", "a x", 30), "en") == ()


def test_few_phrases() -> None:
    (warning,) = warnings(said("a b", "x y", 29), said("a b", "a x", 29), "en")
    assert warning.startswith("Only 29 phrases were judged")
    (warning,) = warnings(said("a b", "x y", 1), said("a b", "a x", 1), "en")
    assert warning.startswith("Only 1 phrase was judged")


def test_no_mistake_is_no_promise() -> None:
    (warning,) = warnings(said("a b", "x y", 60), said("a b", "a b", 60), "en")
    assert "no mistake in these 60 phrases" in warning
    assert "1 phrase in 20 may" in warning  # the rule of three: 3 / 60


def test_empty_references() -> None:
    (warning,) = warnings(said("...", "x", 40), said("...", "x", 40), "en")
    assert warning.startswith("40 phrases have no words")


def test_figures_against_words() -> None:
    (warning,) = warnings(said("ten o'clock", "10 o'clock", 40), said("ten o'clock", "hen o'clock", 40), "en")
    assert warning.startswith("In 40 phrases a number stands in figures on one side")


def test_language_without_spaces() -> None:
    (warning,) = warnings(score(["a"] * 30, ["b"] * 30, "ja"), score(["a"] * 30, ["b"] * 30, "ja"), "ja")
    assert warning.startswith("Japanese is written without spaces")
