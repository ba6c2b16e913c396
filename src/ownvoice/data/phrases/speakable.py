"""Whether a sentence that somebody once said is fit to be read aloud by somebody else.

Transcripts of other people's speech hold names, figures, stumbles, halves of sentences, and words nobody wants to say
into a microphone. Judged by form and by lists of words alone, strictly: there are more sentences than anybody can read.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from ownvoice.data.phrases.bank import count_words
from ownvoice.data.split import fold_text

if TYPE_CHECKING:
    from badwords import ProfanityFilter

Fault = Literal["length", "characters", "numbers", "names", "profanity", "sentence"]
"""Why a sentence is left out, in the order in which it is looked at."""

WORDS = range(3, 13)
"""Two words are rarely a sentence of their own, and more than twelve in one breath tires."""

MOST_LETTERS = 80
"""Twelve long words are more than a breath too."""

_SCRIPTS = {"bg": "CYRILLIC", "ru": "CYRILLIC", "uk": "CYRILLIC", "el": "GREEK"}
_MARKS = frozenset(" .,;:?!'’-–¿¡")
_NOUNS_ARE_CAPITAL = frozenset({"de"})
_ALWAYS_CAPITAL = {"en": re.compile(r"I(['’]\w+)?$")}
_STUMBLES = frozenset({
    "uh", "uhm", "um", "umm", "hm", "hmm", "mhm", "eh", "ehm", "er", "erm", "ah", "äh", "ähm", "euh", "öh", "öö", "ehh",
    "eee", "emm", "øh", "øhm", "э", "эм", "ээ", "ммм",
})  # fmt: skip
_STEMS = {
    "bg": "курв лайн педераст еба путк пишк майната",
    "et": "kurat perse munn vitt lits türa",
    "hr": "kurac kurc jeba jebe pičk sranj kurv peder",
    "lt": "kurv šūd pizd kekš subin bybi",
    "lv": "dirs pizd mauk sūd pimp bļa",
    "mt": "żobb oxx qaħb liba fidil",
    "sk": "kurv piča piči kokot hovn jeba buzerant",
    "sl": "kurac kurc jeba jebe pičk sranj kurb peder",
}
"""Beginnings of words, for the languages that the library of lists does not know."""


def fault_of(text: str, language: str) -> Fault | None:
    """Why ``text`` is no good as a phrase to read, or None.

    Names are told by their capital letters; in German, where every noun has one, only words all in capitals are.

    Parameters
    ----------
    text
        In Unicode NFC, without spaces at its ends.
    language
        Two-letter code.
    """
    if count_words(text) not in WORDS or len(text) > MOST_LETTERS:
        return "length"
    if any(character.isnumeric() for character in text):
        return "numbers"
    script = _SCRIPTS.get(language, "LATIN")
    if not all(character in _MARKS or _is_letter(character, script) for character in text):
        return "characters"
    if _has_names(text.split(), language):
        return "names"
    if _is_profane(text, language):
        return "profanity"
    return None if _is_sentence(text, language) else "sentence"


def _is_letter(character: str, script: str) -> bool:
    return character.isalpha() and unicodedata.name(character, "").startswith(script)


def _has_names(words: list[str], language: str) -> bool:
    always = _ALWAYS_CAPITAL.get(language)
    bare = [word.strip("".join(_MARKS)) for word in words]
    if any(len(word) > 1 and word.isupper() for word in bare):
        return True
    if language in _NOUNS_ARE_CAPITAL:
        return False
    later = (word for word in bare[1:] if not (always and always.match(word)))
    return any(character.isupper() for word in later for character in word)


def _is_sentence(text: str, language: str) -> bool:
    """One whole sentence: a capital letter first, an end mark last and nowhere else, no stumble, no word twice."""
    body = text.lstrip("¿¡")
    ends = ".?!;" if language == "el" else ".?!"
    words = fold_text(text).split()
    return (
        body[:1].isupper()
        and body[-1] in ends
        and not any(mark in body[:-1] for mark in ".?!:–")
        and not _STUMBLES.intersection(words)
        and all(one != two for one, two in pairwise(words))
    )


def _is_profane(text: str, language: str) -> bool:
    if language in _STEMS:
        return any(word.startswith(tuple(_STEMS[language].split())) for word in text.casefold().split())
    return _filter(language).is_profane(text)


@cache
def _filter(language: str) -> ProfanityFilter:
    from badwords import ProfanityFilter

    words = ProfanityFilter()
    words.init(languages=[language])
    return words
