"""Names: found whatever their case, right only when all their words are."""

from __future__ import annotations

import pytest

from ownvoice.errors import UsageError
from ownvoice.evaluation.names import NameCount, count_names
from ownvoice.evaluation.wer import score

SAID = ["Call Siobhán.", "Is this SIOBHÁN's cup?", "Ann, not Mary Ann", "Mary, ask Dr. Okafor"]


def count(name: str, base: list[str], tuned: list[str], said: list[str] = SAID) -> NameCount:
    (counted,) = count_names([name], score(said, base, "en"), score(said, tuned, "en"), "en")
    return counted


def test_each_occurrence_is_counted_in_both_models() -> None:
    base = ["call chiffon", "is this Siobhán cup", "", ""]
    tuned = ["Call Siobhán", "Is this Siobhán's cup", "Ann not Mary Ann", "Mary ask Dr. Okafor"]
    assert count("siobhán", base, tuned) == NameCount("siobhán", said=2, base_right=1, tuned_right=2)


def test_a_name_of_two_words_needs_both_in_a_row() -> None:
    one_word = ["", "", "Ann not Mary and", "Mary ask Dr Okafor"]
    apart = ["", "", "Ann not Mary oh Ann", ""]
    assert count("Mary Ann", one_word, apart) == NameCount("Mary Ann", 1, 0, 0)
    assert count("Ann", one_word, SAID) == NameCount("Ann", 2, 1, 2)


def test_a_name_written_with_punctuation_or_another_script() -> None:
    assert count("Dr. Okafor", SAID, SAID).said == 1
    assert count("محمد", ["tell محمد now"], ["tell mama now"], said=["Tell محمد, now!"]) == NameCount("محمد", 1, 1, 0)


def test_a_name_nobody_said_and_a_name_listed_twice() -> None:
    exact = score(SAID, SAID, "en")
    assert count_names(["Priya", "Priya"], exact, exact, "en") == (NameCount("Priya", 0, 0, 0),)


def test_a_name_without_letters_is_refused() -> None:
    exact = score(SAID, SAID, "en")
    with pytest.raises(UsageError, match=r"'\?!' has no letters"):
        count_names(["?!"], exact, exact, "en")
