"""``ownvoice transcribe``: recordings in, text out."""

from __future__ import annotations

import itertools
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ownvoice.model.recording import Transcript
    from ownvoice.workflow.transcribe import Heard, WindowChoice, WindowJournal

STDIN = Path("-")
_JOURNAL = ".unfinished.jsonl"
_NAMED = 5
"""How many files a refusal names."""


@click.command("transcribe")
@click.argument(
    "audio", nargs=-1, required=True, type=click.Path(exists=True, allow_dash=True, path_type=Path), metavar="AUDIO..."
)
@click.option(
    "--model", required=True, metavar="RUN|ID", help='A training run, a model\'s folder, a Hub id, or "tiny".'
)
@click.option("--language", metavar="CODE", help="Two-letter code of what is spoken  [default: the run's, or detected]")
@click.option(
    "--window",
    type=click.Choice(["auto", "standard", "short"]),
    default="auto",
    show_default=True,
    help="Hear short sounds with the silence of a whole window after them (standard) or with hardly any, several times "
    "as fast (short); auto is short for a run whose own check found it no worse.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "srt", "vtt", "tsv"]),
    default="text",
    show_default=True,
    help="Words alone; words with times of each part, as JSON, subtitles or a table.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json: one list of all recordings.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Write a file for each recording here. Stopped at any time, the same command goes on where it was.",
)
@click.pass_context
def command(
    ctx: click.Context,
    audio: tuple[Path, ...],
    model: str,
    language: str | None,
    window: WindowChoice,
    form: str,
    as_json: bool,
    output: Path | None,
) -> None:
    """Write down what is said in audio files.

    AUDIO are files of any length and format, folders of them, or - for standard input; long ones are cut at pauses. A
    file that cannot be read is named, the others are transcribed all the same, and the exit code is then 1.
    """
    from ownvoice.cli.progress import RunProgress
    from ownvoice.errors import UsageError
    from ownvoice.workflow.transcribe import WindowJournal, find_recordings, open_transcriber

    form = "json" if as_json else form
    with tempfile.TemporaryDirectory() as folder, RunProgress() as progress:
        recordings = find_recordings(_stdin_to_file(path, Path(folder)) for path in audio)
        if form not in {"text", "json"} and output is None and len(recordings) > 1:
            raise UsageError(f"several recordings do not fit into one {form} file", mend="Give --output FOLDER.")
        journal, targets = None, {}
        if output is not None:
            targets = _targets(recordings, output, form)
        transcriber = open_transcriber(model, language, window)
        if output is not None:
            output.mkdir(parents=True, exist_ok=True)
            short = transcriber.short_windows
            journal = WindowJournal(output / _JOURNAL, model, transcriber.language, short_windows=short)
        heard = transcriber.each(recordings, journal=journal, progress=progress.stage)
        whole = _write(heard, targets, form, journal) if output else _print(heard, form, len(recordings) > 1)
    ctx.exit(0 if whole else 1)


def _stdin_to_file(path: Path, folder: Path) -> Path:
    """Standard input as a file (a decoder has to jump about in it); any other path as it is."""
    if path != STDIN:
        return path
    copy = folder / "stdin"
    with copy.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    return copy


def _print(heard: Iterator[Heard], form: str, named: bool) -> bool:
    """Print each transcript as soon as it is known, JSON at the end; returns whether all could be read."""
    from ownvoice.serving.formats import SUBTITLES, to_row

    rows, whole = [], True
    for recording in heard:
        if recording.transcript is None:
            click.echo(f"ownvoice: {recording.error}", err=True)
            whole = False
        elif form == "json":
            rows.append(to_row(str(recording.path), recording.transcript))
        elif form == "text":
            click.echo(f"{recording.path}: {recording.transcript.text}" if named else recording.transcript.text)
        else:
            click.echo(SUBTITLES[form](recording.transcript), nl=False)
    if form == "json":
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    return whole


def _targets(recordings: Sequence[Path], output: Path, form: str) -> dict[Path, Path]:
    """The file of each recording's transcript: its name, with a number where another one has that.

    Raises
    ------
    UsageError
        when one would take the place of a file beside its recording: words that somebody wrote down.
    """
    from ownvoice.errors import UsageError

    ending = "txt" if form == "text" else form
    targets: dict[Path, Path] = {}
    taken: set[str] = set()
    for recording in dict.fromkeys(recordings):
        stems = (recording.stem if number == 1 else f"{recording.stem}-{number}" for number in itertools.count(1))
        stem = next(stem for stem in stems if stem.casefold() not in taken)
        taken.add(stem.casefold())
        targets[recording] = output / f"{stem}.{ending}"
    beside = [target.name for recording, target in targets.items() if _lies_beside(target, recording)]
    if beside and not (output / _JOURNAL).exists():  # what a stopped command wrote is its own
        more = f" and {len(beside) - _NAMED} more" if len(beside) > _NAMED else ""
        raise UsageError(
            f"the files beside these recordings would be overwritten: {', '.join(beside[:_NAMED])}{more}",
            where=output,
            mend="Give another folder with --output.",
        )
    return targets


def _lies_beside(target: Path, recording: Path) -> bool:
    return target.exists() and target.parent.resolve() == recording.parent.resolve()


def _write(heard: Iterator[Heard], targets: Mapping[Path, Path], form: str, journal: WindowJournal | None) -> bool:
    """Write a file for each recording and print its name; returns whether all could be read."""
    whole = True
    for recording in heard:
        if recording.transcript is None:
            click.echo(f"ownvoice: {recording.error}", err=True)
            whole = False
            continue
        target = targets[recording.path]
        _save(target, form, str(recording.path), recording.transcript)
        click.echo(target)
    if journal is not None:
        journal.forget()
    return whole


def _save(target: Path, form: str, name: str, transcript: Transcript) -> None:
    from ownvoice.rundir import write_atomically
    from ownvoice.serving.formats import SUBTITLES, to_row

    if form == "json":
        content = json.dumps(to_row(name, transcript), ensure_ascii=False, indent=2) + "\n"
    else:
        content = SUBTITLES[form](transcript)
    write_atomically(target, content)
