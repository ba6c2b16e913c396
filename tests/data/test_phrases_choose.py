"""Which phrases are shown: search, topic, stars; what is hidden or too hard never is, and its like comes later."""

from __future__ import annotations

from ownvoice.data.phrase_marks import PhraseMarks
from ownvoice.data.phrases import Phrase, load_bank
from ownvoice.data.phrases.choose import choose_phrases


def phrase(text: str, phones: str | None = None) -> Phrase:
    return Phrase(text, text, None, len(text.split()), phones)


def test_search_minds_neither_case_nor_accents_nor_punctuation() -> None:
    bank = load_bank("fr")
    found = choose_phrases(bank, search="  LUMIERE, ")
    assert found == [phrase for phrase in bank if "lumière" in phrase.text.lower()] != []
    assert choose_phrases(bank, search="lumiere xyz") == []
    assert choose_phrases(load_bank("hi"), search="पानी")
    assert choose_phrases(bank, search="") == list(bank)


def test_topic_and_stars_choose_in_the_order_given() -> None:
    bank = load_bank("en")
    health = [phrase for phrase in bank if phrase.topic == "health"]
    marks = PhraseMarks(starred=frozenset({health[3].id, bank[0].id, health[1].id}))
    assert choose_phrases(bank, topic="health") == health
    assert choose_phrases(bank, marks, topic="health", starred=True) == [health[1], health[3]]


def test_hidden_and_too_hard_ones_never_come_back() -> None:
    bank = load_bank("en")
    states = {bank[0].id: "hidden", bank[1].id: "too_hard", bank[2].id: "skipped"}
    shown = choose_phrases(bank, PhraseMarks.model_validate({"states": states}))
    assert {one.id for one in bank} - {one.id for one in shown} == {bank[0].id, bank[1].id}


OTHERS = [phrase(f"number {number}", "m aɪ | k æ t | b oʊ n") for number in range(20)]


def test_what_is_like_a_too_hard_one_comes_later() -> None:
    hard = phrase("strength strikes", "s t ɹ ɛ ŋ k θ s t ɹ aɪ k s")
    alike = phrase("streets stretch", "s t ɹ iː t s s t ɹ ɛ tʃ")
    shown = choose_phrases([hard, alike, *OTHERS], PhraseMarks(states={hard.id: "too_hard"}))
    assert shown.index(alike) >= 2
    assert [one for one in shown if one is not alike] == OTHERS


def test_without_sounds_shared_words_make_phrases_alike() -> None:
    hard, alike = phrase("call the anaesthesiologist now"), phrase("the anaesthesiologist came")
    shown = choose_phrases([hard, alike, *OTHERS], PhraseMarks(states={hard.id: "too_hard"}))
    assert shown.index(alike) >= 8
    assert choose_phrases([hard, alike, *OTHERS])[:2] == [hard, alike]


def test_a_hard_long_phrase_moves_the_rest_of_a_bank_little() -> None:
    bank = load_bank("en")
    hard = max(bank, key=lambda one: one.words)
    shown = choose_phrases(bank, PhraseMarks(states={hard.id: "too_hard"}))
    first = {one.id for one in bank[:100]}
    assert len(first & {one.id for one in shown[:100]}) > 70
