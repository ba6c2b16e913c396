"""Reads the written phrases and names every fault: of a line, and of a bank as a whole.

Judges what a script can: form, letters, length, repetition, balance. Whether a phrase sounds like a person said it is
for someone who speaks the language. Sounds are checked by ``build.py``, once there are any.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from languages import LANGUAGES, Language

from ownvoice.data.phrases import TOPICS
from ownvoice.data.phrases.bank import count_words
from ownvoice.data.split import fold_text

FEWEST_PHRASES = 300
WORDS = range(2, 13)
"""One word alone teaches no transition, and more than twelve in one breath tires."""

FEWEST_OF_TOPIC, MOST_OF_TOPIC = 0.05, 0.25
"""Each topic's share of a bank."""

FEWEST_SHORT, SHORT = 0.2, 4
"""At least this share of a bank has at most this many words, for someone who tires."""

FEWEST_TELLING = 0.6
"""At least this share of a bank's phrases holds one of the language's common words."""


@dataclass(frozen=True)
class Line:
    """One phrase as it was written."""

    number: int
    topic: str
    text: str


@dataclass(frozen=True)
class Fault:
    """What is wrong, and on which line; None for the bank as a whole."""

    line: int | None
    message: str


def read_texts(path: Path) -> tuple[list[Line], list[Fault]]:
    """The lines ``topic<TAB>phrase`` of a file, and those that are none; ``#`` comments are passed over."""
    lines, faults = [], []
    for number, written in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not written.strip() or written.startswith("#"):
            continue
        topic, *rest = written.split("\t")
        if topic not in TOPICS or len(rest) != 1:
            faults.append(Fault(number, f"is not one of {', '.join(TOPICS)}, a tab, and a phrase: {written!r}"))
        else:
            lines.append(Line(number, topic, rest[0]))
    return lines, faults


def faults_of(lines: Sequence[Line], language: str) -> list[Fault]:
    """Every fault of a bank's lines, in their order; those of the whole come last."""
    faults = [Fault(line.number, message) for line in lines for message in _line_faults(line.text, language)]
    faults += _repetitions(lines)
    faults.sort(key=lambda fault: fault.line or 0)
    return faults + [Fault(None, message) for message in _bank_faults(lines, language)]


def _line_faults(text: str, code: str) -> Iterator[str]:
    language = LANGUAGES[code]
    if text != " ".join(text.split()) or text != unicodedata.normalize("NFC", text):
        yield "has spaces too many, or is not in Unicode NFC"
    if count_words(text) not in WORDS:
        yield f"has {count_words(text)} words; {WORDS.start} to {WORDS.stop - 1} are wanted: {text!r}"
    if foreign := sorted({char for char in text if char.lower() not in language.letters + language.marks}):
        yield f"holds {' '.join(foreign)}, which the language does not use (figures are written as words): {text!r}"
    if not text.endswith(tuple(language.endings)):
        yield f"does not end like a sentence: {text!r}"
    first = next((char for char in text if char.isalpha()), "")
    if first != first.upper():
        yield f"does not begin with a capital letter: {text!r}"
    if other := _sounds_like_another(text, code):
        yield f"looks like {other}: {text!r}"


def _common_words(text: str, language: Language) -> int:
    words = fold_text(text).split()
    return sum(word in language.common_words for word in words if len(word) > 1)  # one letter may be a letter spelled


def _sounds_like_another(text: str, code: str) -> str | None:
    """The language that has at least two more common words in ``text`` than its own, which has none."""
    if _common_words(text, LANGUAGES[code]):
        return None
    hits = {other: _common_words(text, language) for other, language in LANGUAGES.items()}
    best = max(hits, key=lambda other: hits[other])
    return best if hits[best] >= 2 else None


def _repetitions(lines: Sequence[Line]) -> Iterator[Fault]:
    first: dict[str, Line] = {}
    for line in lines:
        earlier = first.setdefault(fold_text(line.text), line)
        if earlier is not line:
            yield Fault(line.number, f"has the same words as line {earlier.number}: {line.text!r}")


def _bank_faults(lines: Sequence[Line], code: str) -> Iterator[str]:
    total = len(lines)
    if total < FEWEST_PHRASES:
        yield f"has {total} phrases; at least {FEWEST_PHRASES} are wanted"
    counts = Counter(line.topic for line in lines)
    for topic in TOPICS:
        if not FEWEST_OF_TOPIC * total <= counts[topic] <= MOST_OF_TOPIC * total:
            yield (
                f"has {counts[topic]} phrases on {topic!r} of {total}; "
                f"{FEWEST_OF_TOPIC:.0%} to {MOST_OF_TOPIC:.0%} are wanted"
            )
    short = sum(count_words(line.text) <= SHORT for line in lines)
    if short < FEWEST_SHORT * total:
        yield f"has {short} phrases of at most {SHORT} words; {FEWEST_SHORT:.0%} of {total} are wanted"
    telling = sum(_common_words(line.text, LANGUAGES[code]) > 0 for line in lines)
    if telling < FEWEST_TELLING * total:
        yield f"has {telling} phrases with a common word of the language; {FEWEST_TELLING:.0%} of {total} are wanted"
