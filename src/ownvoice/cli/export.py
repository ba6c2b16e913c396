"""``ownvoice export``: a trained model in a form that other programs read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ownvoice.workflow.export import Exported


@click.command("export")
@click.argument("run", metavar="RUN")
@click.option(
    "--format",
    "form",
    type=click.Choice(["merged", "vllm-adapter", "mistral"]),
    default="merged",
    show_default=True,
    help="One plain Hugging Face model; the adapter under vLLM's names; one model in Mistral's own layout.",
)
@click.option("--quantize", "quantise", type=click.Choice(["int8", "nf4"]), help="8 or 4 bits a weight; merged only.")
@click.option("--to", type=click.Path(path_type=Path), metavar="FOLDER", help="[default: RUN/export/FORMAT]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of sentences.")
def command(run: str, form: str, quantise: str | None, to: Path | None, as_json: bool) -> None:
    """Write a trained model in a form that other programs read.

    A merged model is loaded again and hears the phrases the run was judged on: what it writes is compared with what
    the run writes. vLLM is not run here; every name of its two forms is checked.
    """
    from typing import cast

    from ownvoice.cli.progress import RunProgress
    from ownvoice.workflow.export import ExportFormat, export_model

    with RunProgress() as progress:
        made = export_model(
            run,
            cast("ExportFormat", form),
            quantise=quantise,  # type: ignore[arg-type]
            to=to,
            progress=progress.stage,
        )
    if as_json:
        import json

        click.echo(json.dumps(made.to_json(), ensure_ascii=False))
    else:
        _print(made)


def _print(made: Exported) -> None:
    click.echo(made.folder)
    if made.comparison is not None:
        run, export = made.comparison.base.score.wer, made.comparison.tuned.score.wer
        click.echo(
            f"It writes the same as the run on {made.same_transcripts} of {made.comparison.n} phrases; "
            f"WER {export:.1%}, the run's {run:.1%}.",
            err=True,
        )
    click.echo(f"Use it with:\n{made.use}", err=True)
