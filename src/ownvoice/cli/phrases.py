"""``ownvoice phrases``: phrases to read aloud, as text or as JSON lines."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from ownvoice.data.phrases import TOPICS, Phrase, coverage, load_bank, phrases_from_file
from ownvoice.errors import UsageError

BUILTIN = "builtin"


@click.command("phrases")
@click.option("--language", metavar="CODE", default="en", show_default=True, help="Two-letter code of the language.")
@click.option(
    "--source",
    metavar=f"{BUILTIN}|FILE",
    default=BUILTIN,
    show_default=True,
    help="The phrases that come with ownvoice, or a text file of yours: one phrase on each line, or running text.",
)
@click.option("--count", type=click.IntRange(min=1), help="Print this many phrases.  [default: all]")
@click.option("--topic", type=click.Choice(TOPICS), help="Print only built-in phrases on this topic.")
@click.option("--seed", type=int, help="Print them in a random order drawn from this number.  [default: best first]")
@click.option("--jsonl", is_flag=True, help="Print one JSON object a phrase instead of its text.")
def command(language: str, source: str, count: int | None, topic: str | None, seed: int | None, jsonl: bool) -> None:
    """Phrases to read aloud, the ones that teach the most first.

    The built-in phrases are in such an order that the first few hold as many sounds of the language as so few can,
    and so do the first fifty or hundred. A text of your own is printed in its own order.
    """
    if source != BUILTIN and topic is not None:
        raise UsageError("a text of your own has no topics", mend="Leave out --topic.")
    everything = load_bank(language) if source == BUILTIN else phrases_from_file(Path(source))
    phrases = [phrase for phrase in everything if topic in (None, phrase.topic)]
    if seed is not None:
        random.Random(seed).shuffle(phrases)  # noqa: S311 - an order to read in, no secret
    phrases = phrases[:count]
    for phrase in phrases:
        click.echo(json.dumps(asdict(phrase), ensure_ascii=False) if jsonl else phrase.text)
    click.echo(_sum(phrases, everything), err=True)


def _sum(chosen: Sequence[Phrase], everything: Sequence[Phrase]) -> str:
    counted = f"{len(chosen)} of {len(everything)} phrases"
    part, whole = coverage(chosen), coverage(everything)
    if not whole.phones:  # a text of the person's own: nobody has worked out how it sounds
        return f"{counted}."
    phones, diphones = part.share_of_phones(whole), part.share_of_diphones(whole)
    return f"{counted}, with {phones:.0%} of their sounds and {diphones:.0%} of their pairs of sounds."
