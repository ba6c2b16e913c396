"""What counts as the same word: transcripts are brought to one form before they are compared.

Two transcripts that would be read aloud alike should differ in nothing here, and two that would not should still
differ. For every language, in this order:

1. Look-alikes of the apostrophe become ', trademark signs and invisible characters (soft hyphen, joiners, direction
   marks) go, and spaces that group digits go (10 000).
2. Unicode NFKC: one way of writing each letter, full-width letters and ligatures opened.
3. Case folding, and digits of every script become 0-9.
4. The language's thousands mark goes where three digits follow (1,000 is 1000); every other mark between digits
   becomes a space, so that 3.5 is never 35.
5. Apostrophes by the language's rule; at the edge of a word they are quotation marks and go.
6. Punctuation, hyphens, dashes and symbols become spaces: none of them can be heard, and "well-known" is "well known".
7. Words are parted by single spaces.

Accents stay: in most languages they make another word (Spanish "año", "ano"). :func:`fold_accents` removes them for
the figure shown beside the main one. By language:

====  ============================  ==================================================================================
code  apostrophe within a word      also
====  ============================  ==================================================================================
en    kept: "we're" is not "were"   contractions stay as they were written; thousands mark ","
es    kept (rare)                   "¿" and "¡" go as punctuation, "ñ" is a letter of its own; thousands mark "."
fr    a space after an elision      l' d' j' qu' jusqu' ... part words, "aujourd'hui" stays whole; "œ" is "oe"
pt    kept: "d'água"                thousands mark "."
hi    kept (rare)                   vowel signs, virama and nukta stay; danda goes; Devanagari digits; 1,00,000
de    dropped: "geht's" is "gehts"  both spellings are right; "ß" is kept, since "Maße" is not "Masse"
nl    kept: "zo'n", "foto's"        "'s avonds" is "s avonds"; thousands mark "."
it    a space                       elisions part words: "l'acqua", "dell'anno"; thousands mark "."
else  kept                          "I" and "İ" fold the Turkish way for tr and az
====  ============================  ==================================================================================

Not done: figures are not spelled out ("10" is not "ten"). One figure has several right readings (1984, 10:30, 3/4)
and no small library knows them all in eight languages; the evaluation warns where it matters. Filler words and
repetitions stay too: whether they are mistakes is decided by the transcripts of the voice.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class _Rules:
    """How one language differs from the others."""

    apostrophe: Literal["keep", "drop", "split", "split elisions"] = "keep"
    thousands: Literal["", ",", "."] = ""
    open_ligatures: bool = False
    keep_sharp_s: bool = False
    dotless_i: bool = False


_GENERIC = _Rules()
_RULES = {
    "en": _Rules(thousands=","),
    "es": _Rules(thousands="."),
    "fr": _Rules(apostrophe="split elisions", open_ligatures=True),
    "pt": _Rules(thousands="."),
    "hi": _Rules(thousands=","),
    "de": _Rules(apostrophe="drop", thousands=".", keep_sharp_s=True),
    "nl": _Rules(thousands="."),
    "it": _Rules(apostrophe="split", thousands="."),
    "tr": _Rules(dotless_i=True),
    "az": _Rules(dotless_i=True),
}

_LOOK_ALIKES = str.maketrans({**dict.fromkeys("’‘ʼ´`′＇‛", "'"), "™": None, "℠": None})
_TURKISH_I = str.maketrans({"I": "ı", "İ": "i"})
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae"})
_GROUPING_SPACE = re.compile(r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3}(?!\d))")
_GROUPING_MARK = {
    ",": re.compile(r"(?<=\d),(?=(?:\d{2},)*\d{3}(?!\d))"),  # also the Indian way, 1,00,000
    ".": re.compile(r"(?<=\d)\.(?=\d{3}(?!\d))"),
}
_INNER_APOSTROPHE = re.compile(r"(?<=[^\W_])'(?=[^\W_])")
_OUTER_APOSTROPHE = re.compile(r"(?<![^\W_])'|'(?![^\W_])")
_FRENCH_ELISION = re.compile(r"\b([cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu)'(?=[^\W_])")

_FOLDED = str.maketrans(
    # letters whose stroke or ligature Unicode does not take apart
    {"ß": "ss", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th"}
    # Devanagari: what writers leave out as others leave out accents (candrabindu for anusvara, and the nukta)
    | {"\u0901": "\u0902", "\u093c": None}
)


def normalise(text: str, language: str | None) -> str:
    """The form of ``text`` in which words are compared: see the rules at the head of this module.

    Parameters
    ----------
    text
        A transcript as a person or a model wrote it.
    language
        Two-letter code; a code without rules of its own, or None, gets the general ones.

    Returns
    -------
    str
        Words parted by single spaces; empty when the text holds no letter and no digit. Normalising twice changes
        nothing more.
    """
    rules = _RULES.get(language or "", _GENERIC)
    text = "".join(char for char in text.translate(_LOOK_ALIKES) if unicodedata.category(char) != "Cf")
    text = unicodedata.normalize("NFKC", _GROUPING_SPACE.sub("", text))
    text = _fold_case(text, rules)
    text = "".join(str(unicodedata.digit(char)) if char.isdecimal() else char for char in text)
    if rules.thousands:
        text = _GROUPING_MARK[rules.thousands].sub("", text)
    text = _part_apostrophes(text, rules)
    text = "".join(char if char == "'" or unicodedata.category(char)[0] in "LMN" else " " for char in text)
    return " ".join(word for word in text.split() if any(char.isalnum() for char in word))


def fold_accents(text: str) -> str:
    """Remove accents from normalised ``text``: "año" becomes "ano", "Müller" in its folded case "muller".

    Only the marks of the Latin, Greek and Cyrillic alphabets go (Unicode block 0300-036F), and a few letters that are
    an accented letter to the eye (ø, ł, ß as ss). Vowel signs of Devanagari and other scripts are no accents and
    stay; of Devanagari only the nukta goes, and candrabindu is written as anusvara, as many people write them.
    """
    bare = "".join(char for char in unicodedata.normalize("NFD", text) if not "\u0300" <= char <= "\u036f")
    return unicodedata.normalize("NFC", bare.translate(_FOLDED))


def _fold_case(text: str, rules: _Rules) -> str:
    if rules.dotless_i:
        text = text.translate(_TURKISH_I)
    text = text.lower() if rules.keep_sharp_s else text.casefold()
    if rules.open_ligatures:
        text = text.translate(_LIGATURES)
    return unicodedata.normalize("NFKC", text)  # folding can leave letters decomposed


def _part_apostrophes(text: str, rules: _Rules) -> str:
    match rules.apostrophe:
        case "drop":
            text = _INNER_APOSTROPHE.sub("", text)
        case "split":
            text = _INNER_APOSTROPHE.sub(" ", text)
        case "split elisions":
            text = _FRENCH_ELISION.sub(r"\1 ", text)
        case "keep":
            pass
    return _OUTER_APOSTROPHE.sub(" ", text)
