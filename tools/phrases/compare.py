"""Prints the table of docs/phrases.md: what the first phrases of each bank hold, beside random orders of the same bank.

    python tools/phrases/compare.py [--into docs/phrases.md]

Reads the banks as they are stored; needs no synthesiser. With ``--into``, the page's first table is replaced.
"""

from __future__ import annotations

import argparse
import random
import re
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from order import coverage_order

from ownvoice.data.phrases import Phrase, bank_languages, coverage, load_bank
from ownvoice.data.phrases.coverage import phone_runs

SEEDS = range(30)
PLACES = (50, 100, 300)

_TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)

HEADER = """\
| | bank: phrases, phones, diphones | phones after 40: ours, random | words in 50: ours, random \
| sounds in 50: ours, random | diphones a word in 50: ours, random | diphones after 50: ours, random \
| after 100 | after 300 | random needs, for our 50 | greedy alone, at 50 |
|---|---|---|---|---|---|---|---|---|---|---|"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, metavar="PAGE", help="page whose first table is replaced")
    page: Path | None = parser.parse_args().into
    table = [*HEADER.splitlines(), *(row(language) for language in bank_languages())]
    if page is None:
        print("\n".join(table))
        return
    text, found = _TABLE.subn("\n".join(table) + "\n", page.read_text(encoding="utf-8"), count=1)
    if not found:
        parser.error(f"there is no table in {page}")
    page.write_text(text, encoding="utf-8")


def row(language: str) -> str:
    """One line of the table; figures of random orders are means over :data:`SEEDS`."""
    bank = load_bank(language)
    whole = coverage(bank)
    shuffled = [random.Random(seed).sample(bank, len(bank)) for seed in SEEDS]
    phones = [mean(coverage(order[:40]).share_of_phones(whole) for order in orders) for orders in ([bank], shuffled)]
    words = [mean(sum(phrase.words for phrase in order[:50]) for order in orders) for orders in ([bank], shuffled)]
    sounds = [mean(sum(map(_sounds, order[:50])) for order in orders) for orders in ([bank], shuffled)]
    by_chance = {place: mean(_diphones(order[:place]) for order in shuffled) for place in PLACES}
    cells = [
        language,
        f"{len(bank)}, {len(whole.phones)}, {len(whole.diphones)}",
        f"{phones[0]:.0%}, {phones[1]:.0%}",
        f"{words[0]:.0f}, {words[1]:.0f}",
        f"{sounds[0]:.0f}, {sounds[1]:.0f}",
        f"{_diphones(bank[:50]) / words[0]:.2f}, {by_chance[50] / words[1]:.2f}",
        *(_against(_diphones(bank[:place]), by_chance[place]) for place in PLACES),
        f"{mean(_needed(order, _diphones(bank[:50])) for order in shuffled):.0f} phrases",
        f"{_diphones(coverage_order(bank, mixed=False)[:50]) / by_chance[50]:.2f}x",
    ]
    return f"| {' | '.join(cells)} |"


def _diphones(phrases: Sequence[Phrase]) -> int:
    return len(coverage(phrases).diphones)


def _sounds(phrase: Phrase) -> int:
    """How many phones it takes to say it."""
    return sum(map(len, phone_runs(phrase)))


def _against(ours: int, by_chance: float) -> str:
    return f"{ours}, {by_chance:.0f} ({ours / by_chance:.2f}x)"


def _needed(order: Sequence[Phrase], diphones: int) -> int:
    """How many phrases of ``order`` hold at least so many diphones."""
    heard: set[tuple[str, str]] = set()
    for count, phrase in enumerate(order, start=1):
        heard |= coverage([phrase]).diphones
        if len(heard) >= diphones:
            return count
    return len(order)


if __name__ == "__main__":
    main()
