"""From text to phones, through espeak-ng.

espeak-ng writes phones in IPA with ``_`` between them, a space between words, and a line for each clause. From that,
in this order:

1. a stretch between switch marks, such as ``(en)...(fr)``, is a word read by another language's rules: its sounds are
   not the language's own, so a pause stands in its place;
2. marks of stress (``ˈ ˌ``), syllable and glottal set-off (``'``, ``-``, ``|``, ``!``, ``.``) and joiners go;
3. a doubled phone is a long one: ``ss`` is ``sː``, as espeak-ng itself writes ``kː``;
4. ``??``, where the German voice has no IPA for the vowel of "kurz", is ``ʊɐ``;
5. the end of a clause is a pause.

Quotation marks are taken from the text before, since a letter beside one can be read wrongly.

Length (``iː``), nasality (``ɑ̃``), aspiration (``tʰ``) and affricates and diphthongs (``tʃ``, ``aɪ``) stay one phone.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence

VERSION = "1.51"
"""The espeak-ng whose phones are stored: another version has other dictionaries, so other phones."""

_FOREIGN = re.compile(r"\([a-z-]+\).*?(?:\([a-z-]+\)|$)")
_NO_SOUND = re.compile(r"[ˈˌ'|!.\u200c\u200d-]")
_DOUBLED = re.compile(r"^(.+)\1$")
_QUOTES = re.compile(r'["“”«»]')
_NO_IPA = {"??": "ʊɐ"}


class EspeakError(RuntimeError):
    """espeak-ng is missing, is another version, or did not answer for each phrase."""


def require_espeak() -> None:
    """Return when espeak-ng :data:`VERSION` can be run, else raise :class:`EspeakError` saying what to do."""
    try:
        found = subprocess.run(["espeak-ng", "--version"], capture_output=True, text=True, check=True).stdout
    except FileNotFoundError:
        raise EspeakError("needs espeak-ng: apt-get install espeak-ng") from None
    if f": {VERSION} " not in found:
        raise EspeakError(
            f"needs espeak-ng {VERSION} and found {found.strip()!r}; "
            "to move on to another, change VERSION in tools/phrases/phones.py and build the banks again"
        )


def phones_of(texts: Sequence[str], voice: str) -> list[str]:
    """The phones of each text, parted by spaces, ``|`` for a pause within it.

    Raises
    ------
    EspeakError
        when espeak-ng does not answer once for each text.
    """
    # An empty line comes back as an empty line, which tells the clauses of one text from the next text's.
    done = subprocess.run(
        ["espeak-ng", "-q", "--ipa", "--sep=_", "-v", voice],
        input="".join(f"{_QUOTES.sub('', text)}\n\n" for text in texts),
        capture_output=True,
        text=True,
        check=True,
    )
    answers = done.stdout.removesuffix("\n\n").split("\n\n")
    if len(answers) != len(texts):
        raise EspeakError(f"espeak-ng answered {len(answers)} times for {len(texts)} texts")
    return [_clean(answer) for answer in answers]


def _clean(answer: str) -> str:
    runs = [run for clause in answer.split("\n") for run in _FOREIGN.split(clause)]
    phones = [" ".join(filter(None, map(_phone, re.split(r"[_\s]+", run)))) for run in runs]
    return " | ".join(filter(None, phones))


def _phone(symbol: str) -> str:
    bare = _NO_SOUND.sub("", symbol)
    return _NO_IPA.get(bare) or _DOUBLED.sub(r"\1ː", bare)
