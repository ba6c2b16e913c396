"""The built-in phrases of each language, the sounds of their words, and what a phrase is.

Banks and lexicons are data of the package, written and ordered by ``tools/phrases/build.py``; nothing here computes an
order, opens a connection or needs a synthesiser. Kept light, since the first phrase waits for it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ownvoice.errors import ConfigError

TOPICS = ("requests", "home", "health", "messages", "feelings", "places", "numbers", "spelling")
"""What the built-in phrases are about."""

BUILTIN_SOURCE, BUILTIN_LICENCE = "ownvoice", "Apache-2.0"

_BANKS = Path(__file__).parent / "banks"
_LEXICONS = Path(__file__).parent / "lexicons"


@dataclass(frozen=True)
class Phrase:
    """Something to read aloud in one recording; its first fields are the keys of a bank's lines."""

    id: str
    """Made from the words, so a phrase keeps it wherever it stands; recordings name it as their ``phrase_id``."""
    text: str
    topic: str | None
    """One of :data:`TOPICS`; None for a person's own text."""
    words: int
    phones: str | None
    """Its phones in IPA, parted by spaces, with ``|`` where the voice pauses (see ``docs/phrases.md``); None where
    nobody has worked them out."""
    source: str | None = None
    """Where the text is from, by name; None for what the person wrote."""
    licence: str | None = None
    """Of the text, as an SPDX identifier; None where it is the person's own."""
    about: str | None = None
    """The name or word of the person's own that the phrase is there for."""


def bank_languages() -> tuple[str, ...]:
    """Codes of the languages that have a built-in bank, in alphabetical order."""
    return tuple(sorted(path.stem for path in _BANKS.glob("*.jsonl")))


def load_bank(language: str) -> tuple[Phrase, ...]:
    """The built-in phrases of ``language``, in coverage order: the first N are a good choice for every N.

    Parameters
    ----------
    language
        Two-letter code.

    Raises
    ------
    ConfigError
        when there is no bank for it; the message lists the languages that have one.
    """
    languages = bank_languages()
    if language not in languages:
        raise ConfigError(
            f"there are no built-in phrases for the language {language!r}",
            mend=f"Choose one of {', '.join(languages)}, or give a text of your own.",
        )
    lines = (_BANKS / f"{language}.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(Phrase(**json.loads(line), source=BUILTIN_SOURCE, licence=BUILTIN_LICENCE) for line in lines)


def load_lexicon(language: str | None) -> dict[str, str]:
    """The phones of every word of the built-in phrases, by the word as ``fold_text`` writes it, parted by spaces.

    Empty for a language that has no bank: nobody has worked them out.
    """
    if language not in bank_languages():
        return {}
    phones: dict[str, str] = json.loads((_LEXICONS / f"{language}.json").read_text(encoding="utf-8"))
    return phones


def count_words(text: str) -> int:
    """The words of ``text``, parted by spaces; a mark that stands by itself, as French writes ``?``, is none."""
    return sum(any(character.isalnum() for character in word) for word in text.split())


def phrase_id(prefix: str, text: str) -> str:
    """``prefix`` and eight hexadecimal digits of the words; case and punctuation make no other phrase of them."""
    import hashlib

    from ownvoice.data.split import fold_text  # it brings pydantic along, which reading a bank can do without

    return f"{prefix}-{hashlib.sha256(fold_text(text).encode()).hexdigest()[:8]}"
