"""``ownvoice phrases``: phrases to read aloud, as text or as JSON lines; for a voice, those it should record next."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import click

from ownvoice.data.phrases import TOPICS, Phrase, coverage
from ownvoice.errors import UsageError
from ownvoice.quantities import counted
from ownvoice.rundir import VoiceFolder

if TYPE_CHECKING:
    from ownvoice.data.phrases.next_up import NextPhrases
    from ownvoice.data.phrases.own_words import WordKind
    from ownvoice.data.phrases.source import PhraseSource

KINDS = ("person", "place", "medicine", "term")
SOURCES = ("builtin", "granary", "own")


@click.command("phrases")
@click.argument("voice", type=click.Path(path_type=Path), required=False)
@click.option("--language", metavar="CODE", help="Two-letter code of the language.  [default: the voice's, else en]")
@click.option(
    "--source",
    metavar="builtin|granary|own|FILE",
    default="builtin",
    show_default=True,
    help="The phrases that come with ownvoice; NVIDIA Granary, fetched once; those the voice's person brought; or a "
    "text file: one phrase on each line, or running text.",
)
@click.option("--count", type=click.IntRange(min=1), help="Print this many phrases.  [default: all]")
@click.option("--next", "next_", type=click.IntRange(min=1), metavar="N", help="Print what VOICE should record next.")
@click.option(
    "--by",
    type=click.Choice(["order", "errors"]),
    default="order",
    show_default=True,
    help="With --next: in the order of the source, or what holds most of what VOICE's latest model gets wrong.",
)
@click.option("--topic", type=click.Choice(TOPICS), help="Print only built-in phrases on this topic.")
@click.option("--search", metavar="WORDS", default="", help="Print only phrases with these words.")
@click.option("--seed", type=int, help="Print them in a random order drawn from this number.  [default: best first]")
@click.option("--names", type=click.Path(path_type=Path), metavar="FILE", help="Bring names to VOICE, in sentences.")
@click.option("--kind", type=click.Choice(KINDS), default="person", show_default=True, help="What --names holds.")
@click.option("--jsonl", is_flag=True, help="Print one JSON object a phrase instead of its text.")
def command(
    voice: Path | None,
    language: str | None,
    source: str,
    count: int | None,
    next_: int | None,
    by: Literal["order", "errors"],
    topic: str | None,
    search: str,
    seed: int | None,
    names: Path | None,
    kind: WordKind,
    jsonl: bool,
) -> None:
    """Phrases to read aloud, the ones that teach the most first.

    The built-in phrases are in such an order that the first few hold as many sounds of the language as so few can,
    and so do the first fifty or hundred. A text of your own is printed in its own order. Phrases that were hidden or
    marked as too hard in VOICE are left out.

    With --names, a list, table or address book of names is put into sentences, which VOICE keeps: they are printed, and
    --source own has them from then on.
    """
    if voice and not voice.is_dir():
        raise UsageError("there is no such voice", where=voice, mend="Give the folder of a voice, as voices/NAME.")
    folder = VoiceFolder(voice) if voice else None
    spoken = language or _language_of(folder)
    if topic is not None and source != "builtin":
        raise UsageError("only built-in phrases have topics", mend="Leave out --topic.")
    if names is not None:
        return _print(_bring_names(_require(folder, "--names"), names, spoken, kind), jsonl)
    if next_ is not None:
        found = _next(_require(folder, "--next"), source, spoken, next_, by)
        _print(found.phrases, jsonl)
        return click.echo(_why(found), err=True)
    if source == "own":
        _require(folder, "--source own")
    everything = _everything(source, spoken, folder)
    phrases = _shown(everything, folder, topic, search)
    if seed is not None:
        random.Random(seed).shuffle(phrases)  # noqa: S311 - an order to read in, no secret
    _print(phrases[:count], jsonl)
    click.echo(_sum(phrases[:count], everything), err=True)


def _require(folder: VoiceFolder | None, option: str) -> VoiceFolder:
    if folder is None:
        raise UsageError(f"{option} needs a voice", mend="Give its folder: ownvoice phrases voices/NAME " + option)
    return folder


def _language_of(folder: VoiceFolder | None) -> str:
    if folder is None:
        return "en"
    from ownvoice.data.voice_settings import read_voice_settings

    return read_voice_settings(folder).language or "en"


def _everything(source: str, language: str, folder: VoiceFolder | None) -> tuple[Phrase, ...]:
    from ownvoice.cli.progress import RunProgress
    from ownvoice.data.phrases.source import phrases_for

    if source == "granary":
        with RunProgress() as progress:
            return phrases_for("granary", language, progress=progress.stage)
    named = cast("PhraseSource", source) if source in SOURCES else Path(source)
    return phrases_for(named, language, voice=folder)


def _shown(everything: Sequence[Phrase], folder: VoiceFolder | None, topic: str | None, search: str) -> list[Phrase]:
    if folder is None and not search:
        return [phrase for phrase in everything if topic in (None, phrase.topic)]
    from ownvoice.data.phrase_marks import PhraseMarks, read_marks
    from ownvoice.data.phrases.choose import choose_phrases

    marks = read_marks(folder) if folder else PhraseMarks()
    return choose_phrases(everything, marks, search=search, topic=topic)


def _next(folder: VoiceFolder, source: str, language: str, count: int, by: str) -> NextPhrases:
    from ownvoice.data.phrases.next_up import next_phrases

    return next_phrases(folder, _everything(source, language, folder), language, count, by_errors=by == "errors")


def _bring_names(folder: VoiceFolder, names: Path, language: str, kind: WordKind) -> tuple[Phrase, ...]:
    from ownvoice.data.phrases.own import add_own_phrases
    from ownvoice.data.phrases.own_words import phrases_about, words_from_file

    return add_own_phrases(folder, phrases_about(words_from_file(names), language, kind))


def _print(phrases: Sequence[Phrase], jsonl: bool) -> None:
    for phrase in phrases:
        click.echo(json.dumps(asdict(phrase), ensure_ascii=False) if jsonl else phrase.text)


def _sum(chosen: Sequence[Phrase], everything: Sequence[Phrase]) -> str:
    share = f"{len(chosen)} of {len(everything)} phrases"
    part, whole = coverage(chosen), coverage(everything)
    if not whole.phones:  # not built in: nobody has worked out how they sound
        return f"{share}."
    phones, diphones = part.share_of_phones(whole), part.share_of_diphones(whole)
    return f"{share}, with {phones:.0%} of their sounds and {diphones:.0%} of their pairs of sounds."


def _why(found: NextPhrases) -> str:
    if found.run is None or found.weaknesses is None:
        new = counted(len(found.phrases), "phrase that is", "phrases that are")
        return f"{new} not recorded yet, in the order of their source."
    said = f"{counted(len(found.phrases), 'phrase')}, chosen by the errors of run {found.run.path.name}"
    words = ", ".join(unit[1] for unit in found.weaknesses.worst("word", 5))
    phones = ", ".join(unit[1] for unit in found.weaknesses.worst("phone", 5))
    return f"{said}. Wrong most often: {words or 'no word'}; sounds: {phones or 'none known'}."
