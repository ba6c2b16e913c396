"""``ownvoice card``: the card a run's model would have on the Hub, to read before publishing."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("card")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--repo", metavar="OWNER/NAME", help="Where the model shall be  [default: where it was published last]")
@click.option("--author", metavar="NAME", default="", help="Name on the card  [default: the owner's]")
@click.option("--licence", "--license", "licence", metavar="NAME", default="", help="As the Hub writes it.")
def command(run: Path, repo: str | None, author: str, licence: str) -> None:
    """Print the model card of the training run RUN.

    Nothing is sent and nothing is written; ownvoice publish model makes the same card.
    """
    from ownvoice.publishing.card import Wishes
    from ownvoice.rundir import RunFolder
    from ownvoice.workflow.publish_plan import card_of_run

    click.echo(card_of_run(RunFolder(run), repo, Wishes(author, licence)), nl=False)
