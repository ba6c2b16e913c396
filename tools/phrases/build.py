"""Makes the built-in banks from the written phrases: checks them, adds their phones, puts them in order.

    python tools/phrases/build.py [LANGUAGE...] [--texts DIR] [--out DIR]

Beside each bank, ``banks/LANGUAGE.jsonl``, it writes the phones of its words by themselves, ``lexicons/LANGUAGE.json``.
Needs espeak-ng. Says every fault with its file and line, and then writes nothing for that language. The same texts
give the same banks, byte for byte.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from languages import LANGUAGES
from order import coverage_order
from phones import EspeakError, phones_of, require_espeak
from validate import Fault, Line, faults_of, read_texts

import ownvoice.data.phrases
from ownvoice.data.phrases import Phrase
from ownvoice.data.phrases.bank import count_words, phrase_id
from ownvoice.data.phrases.coverage import PAUSE
from ownvoice.data.split import fold_text
from ownvoice.rundir import write_atomically

TEXTS = Path(__file__).parent / "texts"
OUT = Path(ownvoice.data.phrases.__file__).parent
BANK_FIELDS = ("id", "text", "topic", "words", "phones")
MARKS = ".,;:?!¿¡।“”\"'-"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("languages", nargs="*", metavar="LANGUAGE", help="of: " + " ".join(LANGUAGES))
    parser.add_argument("--texts", type=Path, default=TEXTS, help="folder with LANGUAGE.tsv")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for banks/ and lexicons/")
    arguments = parser.parse_args()
    if unknown := set(arguments.languages) - LANGUAGES.keys():
        parser.error(f"no such language: {', '.join(sorted(unknown))}")
    try:
        require_espeak()
    except EspeakError as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    built = [build(language, arguments.texts, arguments.out) for language in arguments.languages or LANGUAGES]
    return 0 if all(built) else 1


def build(language: str, texts: Path, out: Path) -> bool:
    """Write one bank and its lexicon; returns whether its texts had no fault."""
    path = texts / f"{language}.tsv"
    lines, faults = read_texts(path)
    faults += faults_of(lines, language)
    phrases = phrases_of(lines, language)
    faults += [
        Fault(line.number, "gives no sounds") for line, phrase in zip(lines, phrases, strict=True) if not phrase.phones
    ]
    for fault in faults:
        place = path.name if fault.line is None else f"{path.name}:{fault.line}"
        print(f"{place}: {fault.message}", file=sys.stderr)
    if faults:
        return False
    order = coverage_order(phrases)
    rows = [{field: value for field, value in asdict(phrase).items() if field in BANK_FIELDS} for phrase in order]
    write_atomically(
        out / "banks" / f"{language}.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    )
    lexicon = lexicon_of(order, language)
    write_atomically(
        out / "lexicons" / f"{language}.json", json.dumps(lexicon, ensure_ascii=False, indent=0, sort_keys=True) + "\n"
    )
    print(f"{language}: {len(order)} phrases")
    return True


def phrases_of(lines: Sequence[Line], language: str) -> list[Phrase]:
    """The lines as phrases, with their phones."""
    phones = phones_of([line.text for line in lines], LANGUAGES[language].voice)
    return [
        Phrase(phrase_id(language, line.text), line.text, line.topic, count_words(line.text), sounds)
        for line, sounds in zip(lines, phones, strict=True)
    ]


def lexicon_of(phrases: Sequence[Phrase], language: str) -> dict[str, str]:
    """Folded words to the phones each has by itself; words joined by an apostrophe also in their parts."""
    spellings: dict[str, str] = {}
    for written in {word for phrase in phrases for word in re.split(r"[\s-]+", phrase.text)}:
        for spelling in [written, *re.split(r"['’]", written)]:
            if len(folded := fold_text(spelling).split()) == 1:
                spellings[folded[0]] = min(spelling.strip(MARKS), spellings.get(folded[0], spelling.strip(MARKS)))
    words = sorted(spellings)
    phones = phones_of([spellings[word] for word in words], LANGUAGES[language].voice)
    return {word: sounds for word, sounds in zip(words, phones, strict=True) if sounds and PAUSE not in sounds}


if __name__ == "__main__":
    sys.exit(main())
