"""A person's own text as phrases to read aloud: a list with a phrase a line, or an e-mail, a speech, a page of a book.

Nothing is left out and no word is changed: only where to cut is decided here. Sentences are told by their punctuation
alone, and in doubt left together, since a cut in the wrong place is worse to read than two short sentences in one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ownvoice.data.phrases.bank import Phrase, count_words, phrase_id
from ownvoice.errors import SourceError

MOST_WORDS = 12
"""Longer phrases are cut: more in one breath tires, and a slip near the end costs the whole recording."""

_PARAGRAPH_END = re.compile(r"\n[^\S\n]*\n")
_SENTENCE_END = re.compile(r"[.!?…।]+[\"'”’»)\]]*$")
_ABBREVIATION = re.compile(r"[\"'“‘«(]*(?:[A-ZÀ-Þ]\w{0,3}|\w)\.$")  # Dr. Sra. Mrs. A. z. and short names
_CLAUSE_END = re.compile(r"[,;:–—][\"'”’»)\]]*$")


def phrases_from_file(path: Path) -> tuple[Phrase, ...]:
    """The phrases of a text file, as :func:`phrases_from_text`.

    Raises
    ------
    SourceError
        when it cannot be read, is not plain text in UTF-8, or holds no words.
    """
    phrases = phrases_from_text(read_text(path))
    if not phrases:
        raise SourceError("holds no words", where=path, mend="Give a text file with one phrase on each line.")
    return phrases


def phrases_from_text(text: str) -> tuple[Phrase, ...]:
    """The phrases of a text, in its order; none when it holds no words.

    A text in which no line has more than :data:`MOST_WORDS` words is a list with a phrase on each line. Any other is
    running text: its lines are joined up to the next empty one and parted at the ends of sentences. A sentence longer
    than :data:`MOST_WORDS` words is cut at a comma or another mark near its middle, or between words where it has none.
    What is written more than once is one phrase.
    """
    lines = [line.split() for line in text.splitlines()]
    if all(len(words) <= MOST_WORDS for words in lines):
        pieces = [words for words in lines if words]
    else:
        sentences = (sentence for paragraph in _PARAGRAPH_END.split(text) for sentence in _sentences(paragraph.split()))
        pieces = [piece for sentence in sentences for piece in _cut(sentence)]
    phrases: dict[str, Phrase] = {}
    for words in pieces:
        phrase = " ".join(words)
        if count := count_words(phrase):
            name = phrase_id("own", phrase)
            phrases.setdefault(name, Phrase(name, phrase, None, count, None))
    return tuple(phrases.values())


def read_text(path: Path) -> str:
    """The text of a file of the person's own.

    Raises
    ------
    SourceError
        when it cannot be read, or is not plain text in UTF-8.
    """
    mend = "Give a plain text file with one phrase on each line, or with running text; save it as UTF-8."
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise SourceError("is not plain text in UTF-8", where=path, mend=mend) from None
    except OSError as error:
        raise SourceError(f"cannot be read ({error.strerror})", where=path, mend=mend) from None
    if "\0" in text:
        raise SourceError("is not plain text in UTF-8", where=path, mend=mend)
    return text


def _sentences(words: list[str]) -> Iterator[list[str]]:
    start = 0
    for end, word in enumerate(words, start=1):
        if end == len(words) or (_SENTENCE_END.search(word) and not _ABBREVIATION.match(word)):
            yield words[start:end]
            start = end


def _cut(words: list[str]) -> list[list[str]]:
    """Halve ``words`` until no piece has more than :data:`MOST_WORDS`, where a mark allows it near the middle."""
    if len(words) <= MOST_WORDS:
        return [words]
    middle = len(words) / 2
    marks = [place for place in range(2, len(words) - 1) if _CLAUSE_END.search(words[place - 1])]
    place = min(marks, key=lambda mark: abs(mark - middle), default=int(middle))
    return [*_cut(words[:place]), *_cut(words[place:])]
