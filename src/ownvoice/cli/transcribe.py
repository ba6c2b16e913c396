"""``ownvoice transcribe``: audio files in, text out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ownvoice.model.transcribe import Transcript


@click.command("transcribe")
@click.argument("audio", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--model", required=True, metavar="RUN|ID", help='A training run, a model\'s folder, a Hub id, or "tiny".'
)
@click.option("--language", metavar="CODE", help="Two-letter code of what is spoken  [default: the run's, or detected]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list instead of text.")
@click.pass_context
def command(ctx: click.Context, audio: tuple[Path, ...], model: str, language: str | None, as_json: bool) -> None:
    """Write down what is said in audio files.

    Files may be of any length and format; long ones are cut at pauses. A file that cannot be read is named, the
    others are transcribed all the same, and the exit code is then 1.
    """
    from ownvoice.errors import AudioError
    from ownvoice.workflow import open_transcriber

    transcribe = open_transcriber(model, language)
    heard: list[tuple[Path, Transcript]] = []
    for path in audio:
        try:
            transcript = transcribe(path)
        except AudioError as error:
            click.echo(f"ownvoice: {error}", err=True)
            continue
        heard.append((path, transcript))
        if not as_json:
            click.echo(transcript.text if len(audio) == 1 else f"{path}: {transcript.text}")
    if as_json:
        _print_json(heard)
    ctx.exit(0 if len(heard) == len(audio) else 1)


def _print_json(heard: list[tuple[Path, Transcript]]) -> None:
    import dataclasses
    import json

    rows = [
        {
            "audio": str(path),
            "text": transcript.text,
            "seconds": transcript.seconds,
            "segments": [dataclasses.asdict(segment) for segment in transcript.segments],
        }
        for path, transcript in heard
    ]
    click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
