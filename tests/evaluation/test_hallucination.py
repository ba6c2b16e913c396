"""Made-up text: on silence, and far beyond what was said."""

from __future__ import annotations

import pytest

from ownvoice.evaluation.hallucination import find_hallucinations
from ownvoice.evaluation.wer import score


@pytest.mark.parametrize(
    ("said", "written", "overlong"),
    [
        ("yes", "yes I will see you then", True),  # 6 words for 1: 5 more
        ("yes", "yes I will see you", False),  # 4 more
        ("I want", "I I I I want", False),  # a stutter written out
        ("one two three four five", "one two three four five " * 2, False),  # twice is not more than twice
        ("one two three four five", "one two three four five " * 2 + "six", True),
        ("", "thank you for watching this", True),
        ("", "thank you for watching", False),
        ("one two three", "", False),
    ],
)
def test_rule(said: str, written: str, overlong: bool) -> None:
    assert find_hallucinations(score([said], [written], "en"), [], "en").overlong == (overlong,)


def test_rate_is_over_phrases_and_silent_clips() -> None:
    found = find_hallucinations(
        score(["yes", "no", "tea"], ["yes", "no no no no no no", "sea"], "en"),
        ["", " ... ", "Thanks for watching!", ""],
        "en",
    )
    assert found.overlong_count == 1
    assert found.silence_count == 1
    assert found.on_silence[2] == "thanks for watching"
    assert found.rate == 2 / 7
