"""``ownvoice evaluate``: base against tuned, as a table, a JSON object, and two files in the run's folder."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("evaluate")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--on",
    "other",
    type=click.Path(path_type=Path),
    metavar="VOICE",
    help="Judge on another voice: on all its phrases that the run did not learn from.",
)
@click.option("--name", "names", multiple=True, metavar="NAME", help="A name that matters to you; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def command(run: Path, other: Path | None, names: tuple[str, ...], as_json: bool) -> None:
    """Base model against tuned model, on phrases never trained on.

    Writes evaluation.json and the page evaluation.html into the folder of the run RUN. With --on it writes nothing: the
    run's own figures stay.
    """
    from ownvoice import workflow
    from ownvoice.cli.progress import RunProgress
    from ownvoice.rundir import RunFolder, VoiceFolder

    folder = RunFolder(run)
    with RunProgress() as progress:
        evaluation = workflow.evaluate_run(
            folder, on=VoiceFolder(other) if other else None, names=names, progress=progress.stage
        )
    if as_json:
        import json

        click.echo(json.dumps(evaluation.to_json(), ensure_ascii=False, indent=2))
    else:
        from ownvoice.cli.comparison import print_comparison

        print_comparison(evaluation, None if other else folder.evaluation_html)
