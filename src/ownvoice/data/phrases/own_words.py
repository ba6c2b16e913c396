"""Names, places, medicines and words of a person's work, each in a few sentences to read aloud.

A recogniser learns a name in speech, so each word is put into sentences of the language (``carriers/``) in which it
needs no article, no gender and no other form. Where the words come from a file, a table or an address book they are
read here; nothing else of a contact than the name is looked at.
"""

from __future__ import annotations

import csv
import json
import quopri
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from ownvoice.data.phrases.bank import Phrase, count_words, phrase_id
from ownvoice.data.phrases.own_text import read_text
from ownvoice.errors import ConfigError, SourceError, UsageError

WordKind = Literal["person", "place", "medicine", "term"]
"""What a word names; each has carrier sentences of its own."""

SENTENCES = 4
"""How many sentences a word gets: enough to hear it at the beginning, in the middle and at the end."""

MOST_WORDS = 5
"""A longer "name" is a sentence, which needs none around it."""

_CARRIERS = Path(__file__).parent / "carriers"
_WHOLE_NAME = ("name", "full name", "display name", "fn", "nom complet", "nombre completo", "vollständiger name")
_FN = re.compile(r"^(?:[\w-]+\.)?FN(?P<how>[^:\n]*):(?P<name>.+?)\r?$", re.IGNORECASE | re.MULTILINE)
_NAME_PARTS = (("first name", "given name"), ("last name", "family name", "surname"))


def carrier_languages() -> tuple[str, ...]:
    """Codes of the languages that have carrier sentences, in alphabetical order."""
    return tuple(sorted(path.stem for path in _CARRIERS.glob("*.json")))


def phrases_about(
    words: Iterable[str], language: str, kind: WordKind = "person", *, each: int = SENTENCES
) -> tuple[Phrase, ...]:
    """``each`` sentences around every word; :attr:`Phrase.about` says which word.

    Neighbouring words get different sentences, and the same words always the same ones.

    Raises
    ------
    ConfigError
        when the language has no carrier sentences.
    UsageError
        when ``each`` is not 3 to 5, or a word has no letters or more than :data:`MOST_WORDS` words.
    """
    if not 3 <= each <= 5:
        raise UsageError(f"{each} sentences for each word were asked for", mend="Choose 3 to 5.")
    carriers = _carriers(language)[kind]
    phrases: dict[str, Phrase] = {}
    for number, word in enumerate(dict.fromkeys(_checked(word) for word in words)):
        for turn in range(each):
            text = carriers[(number + turn) % len(carriers)].replace("{}", word)
            text = text[0].upper() + text[1:]
            name = phrase_id("own", text)
            phrases.setdefault(name, Phrase(name, text, None, count_words(text), None, about=word))
    return tuple(phrases.values())


def words_from_text(text: str) -> list[str]:
    """The words a person pasted: one a line, or parted by commas or semicolons; each once."""
    return list(dict.fromkeys(filter(None, (" ".join(piece.split()) for piece in re.split(r"[\n,;]", text)))))


def words_from_file(path: Path) -> list[str]:
    """The words of a text file, or the names of an address book saved as CSV or vCard (``.vcf``).

    Raises
    ------
    SourceError
        when it cannot be read, or holds no names.
    """
    text = read_text(path)
    suffix = path.suffix.lower()
    if suffix == ".vcf":
        words = _vcard_names(text)
    elif suffix in (".csv", ".tsv"):
        words = _table_names(text, path, "\t" if suffix == ".tsv" else None)
    else:
        words = words_from_text(text)
    if not words:
        raise SourceError("holds no names", where=path, mend="Give a text file with one name on each line.")
    return words


def _checked(word: str) -> str:
    word = " ".join(word.split())
    if not any(character.isalpha() for character in word):
        raise UsageError(f"{word!r} has no letters", mend="Take it off the list of names and words.")
    if count_words(word) > MOST_WORDS:
        raise UsageError(f"{word!r} is a sentence, and no name", mend="Bring it as a text of your own.")
    return word


@cache
def _carriers(language: str) -> dict[str, list[str]]:
    if language not in carrier_languages():
        raise ConfigError(
            f"there are no sentences for names in the language {language!r}",
            mend=f"Choose one of {', '.join(carrier_languages())}, or write sentences with the names as a text of your "
            "own.",
        )
    carriers: dict[str, list[str]] = json.loads((_CARRIERS / f"{language}.json").read_text(encoding="utf-8"))
    return {kind: carriers[kind] for kind in get_args(WordKind)}


def _vcard_names(text: str) -> list[str]:
    """The ``FN`` of each card (RFC 6350, section 6.2.1); long lines are unfolded, old quoted-printable is read."""
    unfolded = re.sub(r"\r?\n[ \t]", "", text)
    unfolded = re.sub(r"=\r?\n", "", unfolded)
    names = []
    for match in _FN.finditer(unfolded):
        name = match["name"]
        if "QUOTED-PRINTABLE" in match["how"].upper():
            name = quopri.decodestring(name).decode("utf-8", "replace")
        names.append(re.sub(r"\\([,;\\])", r"\1", name))
    return _distinct(names)


def _table_names(text: str, path: Path, delimiter: str | None) -> list[str]:
    """The names of a table: a column of whole names, or those of first and last name joined."""
    delimiter = delimiter or max(",;\t", key=text.partition("\n")[0].count)
    try:
        rows = list(csv.reader(text.splitlines(), delimiter=delimiter))
    except csv.Error as error:
        raise SourceError(f"cannot be read as a table ({error})", where=path) from None
    header = [cell.strip().casefold() for cell in rows[0]] if rows else []
    columns = _name_columns(header)
    if columns is None and len(header) == 1:
        return _distinct(row[0] for row in rows if row)  # a list that was only called a table
    if columns is None:
        raise SourceError(
            "has no column of names", where=path, mend="Call one column Name, or First Name and another Last Name."
        )
    return _distinct(" ".join(row[column] for column in columns if column < len(row)) for row in rows[1:])


def _name_columns(header: Sequence[str]) -> list[int] | None:
    for title in _WHOLE_NAME:
        if title in header:
            return [header.index(title)]
    parts = [next((header.index(title) for title in titles if title in header), None) for titles in _NAME_PARTS]
    return [column for column in parts if column is not None] or None


def _distinct(names: Iterable[str]) -> list[str]:
    tidy = (" ".join(name.split()) for name in names)
    return list(dict.fromkeys(name for name in tidy if any(character.isalpha() for character in name)))
