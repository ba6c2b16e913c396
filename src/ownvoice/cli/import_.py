"""``ownvoice import``: recordings into a voice folder, and a list of what was left out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ownvoice.data.importers import ImportResult

_STAGE = "Importing"


def _given(_: click.Context, __: click.Parameter, value: str) -> str:
    """Refuse the empty text of an unset variable: as a path it is the folder one stands in, with everybody's voices."""
    if not value.strip():
        raise click.BadParameter("is empty. In a script, see whether its variable is set.")
    return value


@click.command("import")
@click.argument("source", callback=_given)
@click.argument("voice", callback=_given)
@click.option("--language", metavar="CODE", help="Two-letter code of what is spoken  [default: the source's, or en]")
@click.option("--text-column", metavar="NAME", help="Column of a table with the words  [default: found by its name]")
@click.option("--audio-column", metavar="NAME", help="Column with the file's name  [default: found by its name]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@click.pass_context
def command(
    ctx: click.Context,
    source: str,
    voice: str,
    language: str | None,
    text_column: str | None,
    audio_column: str | None,
    as_json: bool,
) -> None:
    """Bring recordings and their transcripts into a voice folder.

    SOURCE is a folder, a zip, a table (.jsonl, .csv, .tsv) or hub:OWNER/NAME[:CONFIG[:SPLIT]]. A folder may hold sound
    files each with a .txt of the same name, or be a Common Voice, LJSpeech, audiofolder or ownvoice voice folder.

    Everything is copied; VOICE is made when there is none, and importing again brings in only what is new. What cannot
    be used is listed with its reason, and the exit code is then 1.
    """
    from ownvoice.cli.progress import RunProgress
    from ownvoice.data.importers import import_recordings
    from ownvoice.quantities import counted
    from ownvoice.rundir import VoiceFolder

    with RunProgress() as progress:
        result = import_recordings(
            source,
            VoiceFolder(Path(voice)),
            text_column=text_column,
            audio_column=audio_column,
            language=language,
            progress=lambda done, total: progress.stage(_STAGE, done, total),
        )
    for note in (*result.read_as, *result.warnings):
        click.echo(f"Note: {note}", err=True)
    for clip in result.failed:
        click.echo(f"Left out: {clip}", err=True)
    if as_json:
        _print_json(voice, result)
    else:
        already = len(result.left_out) - len(result.failed)
        known = f", {already} already there" if already else ""
        added = counted(len(result.added), "recording")
        click.echo(f"{added} imported into {voice}{known}, {len(result.failed)} left out")
    ctx.exit(1 if result.failed else 0)


def _print_json(voice: str, result: ImportResult) -> None:
    import dataclasses
    import json

    content = {
        "voice": voice,
        "added": len(result.added),
        "left_out": [dataclasses.asdict(clip) for clip in result.left_out],
        "warnings": result.warnings,
    }
    click.echo(json.dumps(content, ensure_ascii=False, indent=2))
