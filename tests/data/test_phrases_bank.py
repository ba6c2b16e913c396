"""The built-in banks keep what docs/phrases.md promises: enough phrases, in a good order, each with its sounds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import comb

import pytest

from ownvoice.config import VOXTRAL_LANGUAGES
from ownvoice.data.phrases import TOPICS, Coverage, Phrase, bank_languages, coverage, load_bank
from ownvoice.data.phrases.bank import count_words, phrase_id
from ownvoice.errors import ConfigError


def made(phones: str | None) -> Phrase:
    return Phrase("en-1", "Some words.", "home", 2, phones)


def test_phones_and_pairs_are_counted_once_and_no_pair_reaches_over_a_pause_or_a_phrase() -> None:
    found = coverage([made("t iː | t"), made("iː t iː"), made(None)])
    assert found == Coverage(frozenset({"t", "iː"}), frozenset({("t", "iː"), ("iː", "t")}))


def test_shares_are_of_the_whole_and_of_nothing_all() -> None:
    whole, part = coverage([made("t iː k")]), coverage([made("t iː s")])
    assert part.share_of_phones(whole) == pytest.approx(2 / 3)
    assert part.share_of_diphones(whole) == pytest.approx(1 / 2)
    nothing = coverage([])
    assert (nothing.share_of_phones(whole), nothing.share_of_diphones(whole)) == (0, 0)
    assert (part.share_of_phones(nothing), part.share_of_diphones(nothing)) == (1, 1)


def test_each_of_voxtrals_languages_has_a_bank() -> None:
    assert set(bank_languages()) == set(VOXTRAL_LANGUAGES)


def test_a_language_without_a_bank_is_answered_with_those_that_have_one() -> None:
    for language in ("pl", "../data", ""):
        with pytest.raises(ConfigError, match=r"Choose one of de, en, es, fr, hi, it, nl, pt"):
            load_bank(language)


def test_words_are_what_stands_between_spaces_and_can_be_said() -> None:
    assert [count_words(text) for text in ("Ça va ?", "Tom's e-mail", " - ", "A, B")] == [2, 2, 0, 2]


@pytest.mark.parametrize("language", VOXTRAL_LANGUAGES)
class TestBank:
    def test_has_enough_phrases_of_every_topic_and_length(self, language: str) -> None:
        bank = load_bank(language)
        assert len(bank) >= 300
        topics = Counter(phrase.topic for phrase in bank)
        assert set(topics) == set(TOPICS)
        assert min(topics.values()) >= 20
        assert {phrase.words for phrase in bank} <= set(range(2, 13))
        assert sum(phrase.words <= 4 for phrase in bank) >= len(bank) / 5

    def test_each_phrase_has_its_own_id_made_of_its_words_and_its_sounds(self, language: str) -> None:
        bank = load_bank(language)
        assert len({phrase.id for phrase in bank}) == len(bank)
        for phrase in bank:
            assert phrase.id == phrase_id(language, phrase.text)
            assert phrase.words == count_words(phrase.text)
            assert phrase.phones and coverage([phrase]).phones

    def test_nearly_every_phone_is_heard_within_forty_phrases(self, language: str) -> None:
        bank = load_bank(language)
        assert coverage(bank[:40]).share_of_phones(coverage(bank)) >= 0.95

    def test_any_first_part_holds_more_than_by_chance(self, language: str) -> None:
        bank = load_bank(language)
        for count, least in ((50, 1.5), (100, 1.3), (200, 1.1)):
            assert len(coverage(bank[:count]).diphones) >= least * diphones_by_chance(bank, count)

    def test_begins_gently_and_stays_mixed(self, language: str) -> None:
        bank = load_bank(language)
        for first, most in ((5, 14), (10, 20), (15, 28)):
            assert all(len((phrase.phones or "").replace("|", "").split()) <= most for phrase in bank[:first])
        for start in range(0, 300, 50):
            part = bank[start : start + 50]
            assert {phrase.topic for phrase in part} == set(TOPICS)
            assert {"short", "long"} <= {_length(phrase) for phrase in part}


def diphones_by_chance(bank: Sequence[Phrase], count: int) -> float:
    """How many kinds a random ``count`` of the bank's phrases hold on average: each is there unless none has it."""
    holding = Counter(pair for phrase in bank for pair in coverage([phrase]).diphones)
    return sum(1 - comb(len(bank) - phrases, count) / comb(len(bank), count) for phrases in holding.values())


def _length(phrase: Phrase) -> str:
    return "short" if phrase.words <= 4 else "long" if phrase.words >= 8 else "medium"
