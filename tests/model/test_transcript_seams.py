"""Seams of overlapping texts, and loops."""

from __future__ import annotations

import pytest

from ownvoice.model.wording import is_looping, join_at_seam, without_loops


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("I want " + "tea " * 9, "I want tea"),
        ("so " + "thank you. " * 8 + "Bye", "so thank you. Bye"),
        ("Please, " + "call the doctor, Call the Doctor " * 6 + "now", "Please, call the doctor, now"),
    ],
)
def test_loops_are_found_and_written_once(text: str, mended: str) -> None:
    assert is_looping(text)
    assert without_loops(text) == mended


@pytest.mark.parametrize("text", ["", "no", "I I I I w-want tea", "no no no no no", "bye bye bye bye bye bye bye"])
def test_what_people_say_is_no_loop(text: str) -> None:
    assert not is_looping(text)
    assert without_loops(text) == text


def test_seam_is_found_although_the_words_at_the_cut_are_broken() -> None:
    joined = join_at_seam("I would like a cup of tea with mil", "cup of Tea, with milk and sugar")
    assert joined == ("I would like a cup of tea with", "milk and sugar")
    assert join_at_seam("bring me the new", "ing me the newspaper please") == ("bring me the", "newspaper please")


def test_texts_that_agree_on_nothing_lose_nothing() -> None:
    assert join_at_seam("one two", "three four") == ("one two", "three four")
    assert join_at_seam("", "three") == ("", "three")


def test_only_words_at_the_seam_are_compared() -> None:
    before = "yes please " + "one two three four five six seven eight nine ten eleven twelve thirteen"
    assert join_at_seam(before, "yes please and more") == (before, "yes please and more")
