"""``ownvoice check``: the problems of a voice, in text or as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ownvoice.data.check import Problem


@click.command("check")
@click.argument("voice", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list instead of text.")
@click.pass_context
def command(ctx: click.Context, voice: Path, as_json: bool) -> None:
    """Every problem of a voice's recordings, with its place and its mend.

    Changes nothing. The exit code is 1 when there is an error, which should not be trained on; warnings are worth a
    look and leave it at 0.
    """
    from ownvoice.data.check import check_voice
    from ownvoice.rundir import VoiceFolder

    problems = check_voice(VoiceFolder(voice))
    if as_json:
        import dataclasses
        import json

        click.echo(json.dumps([dataclasses.asdict(problem) for problem in problems], ensure_ascii=False, indent=2))
    else:
        for problem in problems:
            click.echo(_line(problem))
        click.echo(_sum(problems), err=True)
    ctx.exit(1 if any(problem.severity == "error" for problem in problems) else 0)


def _line(problem: Problem) -> str:
    source = f", from {problem.source}" if problem.source else ""
    place = problem.file if problem.line is None else f"{problem.file} (line {problem.line}{source})"
    return f"{problem.severity}: {place}: {problem.message}. {problem.mend}"


def _sum(problems: list[Problem]) -> str:
    if not problems:
        return "No problems found."
    errors = sum(problem.severity == "error" for problem in problems)
    return f"Errors: {errors}. Warnings: {len(problems) - errors}."
