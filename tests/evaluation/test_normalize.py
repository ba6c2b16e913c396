"""What counts as the same word, language by language; every expected form was written by hand."""

from __future__ import annotations

import random

import pytest

from ownvoice.config import VOXTRAL_LANGUAGES
from ownvoice.evaluation.normalize import fold_accents, normalise

CASES = [
    ("en", "Don’t worry, it's only 1,000 dogs' leads!", "don't worry it's only 1000 dogs leads"),
    ("en", "‘Well-known’ e-mail — at 10:30, for 3.5 hours", "well known e mail at 10 30 for 3 5 hours"),
    ("en", "I, I w-want\ttea…", "i i w want tea"),
    ("es", "¿Cuántos años? ¡Mañana, 1.500!", "cuántos años mañana 1500"),
    ("fr", "L’homme qu’il a vu aujourd’hui, peut-être", "l homme qu il a vu aujourd'hui peut être"),
    ("fr", "Ma sœur n’a que 10\u202f000 €", "ma soeur n a que 10000"),
    ("pt", "Um copo d'água, por favor: já são 2.300.", "um copo d'água por favor já são 2300"),
    ("hi", "मैं १,००,००० रुपये दूँगा।", "मैं 100000 रुपये दूँगा"),
    ("de", "Geht's dir gut? Die Maße der Straße: 1.250,5", "gehts dir gut die maße der straße 1250 5"),
    ("nl", "'s Avonds zo'n foto's — Ĳsland", "s avonds zo'n foto's ijsland"),
    ("it", "L'acqua dell'anno: perché un po' d'olio?", "l acqua dell anno perché un po d olio"),
    ("tr", "Işık, İstanbul'da", "ışık istanbul'da"),
    ("sv", "Åke’s ögon", "åke's ögon"),
    (None, "Ｆｕｌｌ ﬁgures™ so\u00adft\u200b (Straße)", "full figures soft strasse"),
]


@pytest.mark.parametrize(("language", "text", "expected"), CASES)
def test_hand_worked(language: str | None, text: str, expected: str) -> None:
    assert normalise(text, language) == expected


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "we're", "were"),
        ("en", "3.5", "35"),
        ("es", "año", "ano"),
        ("fr", "a", "à"),
        ("de", "Maße", "Masse"),
        ("hi", "कि", "की"),
        ("hi", "सड़क", "सडक"),
        ("it", "è", "e"),
    ],
)
def test_different_words_stay_different(language: str, one: str, other: str) -> None:
    assert normalise(one, language) != normalise(other, language)


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "don´t", "don't"),
        ("en", "e\u0301clair", "éclair"),
        ("fr", "l' homme", "l’homme"),
        ("hi", "\u0958लम", "क\u093cलम"),  # one letter with its dot, or letter and dot
        ("hi", "क्\u200dया", "क्या"),  # a joiner that only changes how it is drawn
    ],
)
def test_two_spellings_of_one_word_are_one(language: str, one: str, other: str) -> None:
    assert normalise(one, language) == normalise(other, language)


@pytest.mark.parametrize("text", ["", "   ", "...", "—!?", "'", "´", "\u0301"])
def test_nothing_that_can_be_said_is_nothing(text: str) -> None:
    assert normalise(text, "en") == ""


def test_normalising_twice_changes_nothing_more() -> None:
    rng = random.Random(0)
    alphabet = "aIßœİéñ'’´`-_.,:|% 0195१۵\u00a0\u202f\u00ad\u200dक़ि्ँ¿ﬁ½™ΣςЙمb\u0301"
    for language in [*VOXTRAL_LANGUAGES, "tr", None]:
        for _ in range(400):
            once = normalise("".join(rng.choices(alphabet, k=12)), language)
            assert normalise(once, language) == once


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("año über façade naïve", "ano uber facade naive"),
        ("straße smørrebrød łódź cœur", "strasse smorrebrod lodz coeur"),
        ("कि की कु कू के कै क्या", "कि की कु कू के कै क्या"),  # vowel signs and virama make the word
        ("हूँ सड़क", "हूं सडक"),
        ("한국 がぎ", "한국 がぎ"),
    ],
)
def test_folding_takes_accents_and_nothing_else(text: str, expected: str) -> None:
    assert fold_accents(text) == expected
