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
    """The card a model would have on the Hub, to read before publishing.

    It is of the model of the training run RUN. Nothing is sent or written; ownvoice publish model makes the same.
    """
    from ownvoice.publishing.card import Wishes
    from ownvoice.rundir import RunFolder
    from ownvoice.workflow.publish_plan import card_of_run

    click.echo(card_of_run(RunFolder(run), repo, Wishes(author, licence)), nl=False)
