"""``ownvoice demo``: the whole way on the built-in model, ending in a table and a page."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("demo")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Decides split and training.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def command(folder: Path | None, seed: int, as_json: bool) -> None:
    """The whole way on the built-in model and sample voice.

    A small Voxtral learns a voice it could not understand, in a few minutes and without a GPU. The voice is synthetic.
    Everything is kept in FOLDER, which must be new  [default: voices/demo, voices/demo-2, ...]
    """
    from ownvoice import workflow
    from ownvoice.cli.progress import RunProgress
    from ownvoice.errors import UsageError
    from ownvoice.rundir import VoiceFolder

    if folder is not None and folder.exists():
        raise UsageError("there is something here already", where=folder, mend="Give a folder that does not exist yet.")
    voice = VoiceFolder(folder or _new_folder())
    with RunProgress() as progress:
        progress.say(f"The sample voice, its training and its report go into {voice.path}")
        made = workflow.demo(voice, seed=seed, listener=progress, progress=progress.stage)
    report = made.run.evaluation_html
    if as_json:
        import json

        content = {
            "voice": str(voice.path),
            "run": str(made.run.path),
            "report": str(report),
            "evaluation": made.evaluation.to_json(),
        }
        click.echo(json.dumps(content, ensure_ascii=False, indent=2))
    else:
        from ownvoice.cli.comparison import print_comparison

        print_comparison(made.evaluation, report)


def _new_folder() -> Path:
    """The first of voices/demo, voices/demo-2, voices/demo-3... that is not there yet."""
    folder, number = Path("voices") / "demo", 1
    while folder.exists():
        number += 1
        folder = Path("voices") / f"demo-{number}"
    return folder
