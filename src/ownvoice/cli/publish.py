"""``ownvoice publish``: what can be shared, and taking it back. Their common course is in ``sharing.py``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ownvoice.cli.account import confirm, connect_account
from ownvoice.cli.sharing import MakePlans, ask_read_token, shares

if TYPE_CHECKING:
    from ownvoice.cli.progress import RunProgress
    from ownvoice.workflow.publish import Account, Plan

_F = TypeVar("_F", bound=Callable[..., Any])


def _card_options(function: _F) -> _F:
    """The options that what has a card of its own has as well."""
    for option in (
        click.option("--licence", "--license", "licence", metavar="NAME", default="", help="As the Hub writes it."),
        click.option("--author", metavar="NAME", default="", help="Name on the card  [default: the account's]"),
    ):
        function = option(function)
    return function


_CONDITIONS = click.option("--conditions", metavar="TEXT", default="", help="How and where was recorded, for the card.")
_REPO = click.option("--repo", metavar="[OWNER/]NAME", help="Name on the Hub  [default: the last one, or a new one]")
_HARDWARE = click.option(
    "--hardware", "machine", metavar="NAME", default="cpu-basic", show_default=True, help="What the demo runs on."
)
_COMPARE = click.option("--compare", "compares", is_flag=True, help="In the demo, show what the base model hears too.")


@click.group("publish")
def command() -> None:
    """Share recordings, a model or a demo on the Hugging Face Hub, private unless you say otherwise.

    First it says who you are logged in as and lists what would leave this computer. What becomes public is asked for.
    Stopped or cut off at any moment, the same command goes on, and sends nothing twice.
    """


@command.command("dataset", short_help="The recordings of a voice.")
@click.argument("voice", type=click.Path(path_type=Path))
@_CONDITIONS
@_REPO
@_card_options
@shares
def dataset(voice: Path, repo: str | None, public: bool, **card: str) -> MakePlans:
    """The recordings in the folder VOICE, as a data set that plays at once."""
    from ownvoice.publishing.card import Wishes
    from ownvoice.rundir import VoiceFolder
    from ownvoice.workflow.publish_plan import plan_dataset

    def plans(account: Account, progress: RunProgress) -> Sequence[Plan]:
        return [plan_dataset(account, VoiceFolder(voice), repo=repo, public=public, wishes=Wishes(**card))]

    return plans


@command.command("model", short_help="The model of a training run, with its card.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["adapter", "merged"]),
    help="The trained adapter alone, or the whole model  [default: adapter where its base is on the Hub]",
)
@click.option("--quantize", "quantise", type=click.Choice(["int8", "nf4"]), help="8 or 4 bits a weight; merged only.")
@_REPO
@_card_options
@shares
def model(run: Path, form: Any, quantise: Any, repo: str | None, public: bool, **card: str) -> MakePlans:
    """The model of the training run RUN, with its card. No recording is ever in it."""
    from ownvoice.publishing.card import Wishes
    from ownvoice.rundir import RunFolder
    from ownvoice.workflow.publish_plan import plan_model

    def plans(account: Account, progress: RunProgress) -> Sequence[Plan]:
        return [
            plan_model(
                account,
                RunFolder(run),
                form=form,
                quantise=quantise,
                repo=repo,
                public=public,
                wishes=Wishes(**card),
                progress=progress.stage,
            )
        ]

    return plans


@command.command("space", short_help="A demo of a published model.")
@click.argument("run", type=click.Path(path_type=Path))
@_HARDWARE
@_COMPARE
@_REPO
@shares
def space(run: Path, **options: Any) -> MakePlans:
    """A demo of the published model of the training run RUN, as a Space: record or upload, and read what it hears.

    Waits until it runs, and sends it one recording to see that it hears. A private model needs a token that can only
    read; it is asked for, or taken from OWNVOICE_SPACE_TOKEN.
    """
    from ownvoice.rundir import RunFolder
    from ownvoice.workflow.publish_space import plan_space

    return lambda account, progress: [plan_space(account, RunFolder(run), **options, ask_token=ask_read_token)]


@command.command("all", short_help="A run's recordings, its model, and a demo if wanted; asked for once.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--space", "demo", is_flag=True, help="A demo Space as well.")
@_HARDWARE
@_COMPARE
@_CONDITIONS
@_card_options
@shares
def everything(run: Path, demo: bool, **options: Any) -> MakePlans:
    """The recordings and the model of the training run RUN, with --space a demo too, asked for once."""
    from ownvoice.rundir import RunFolder
    from ownvoice.workflow.publish_space import plan_together
    from ownvoice.workflow.sharing_record import Wanted

    def plans(account: Account, progress: RunProgress) -> Sequence[Plan]:
        wanted = Wanted(("dataset", "model", "space") if demo else ("dataset", "model"), **options)
        trained = RunFolder(run).require()
        return plan_together(account, trained.voice, trained, wanted, ask_token=ask_read_token, progress=progress.stage)

    return plans


@command.command("withdraw")
@click.argument("kind", type=click.Choice(["dataset", "model", "space"]))
@click.argument("repo", metavar="[OWNER/]NAME")
@click.option("--yes", is_flag=True, help="Do not ask.")
def withdraw(kind: Any, repo: str, yes: bool) -> None:
    """Delete something from the Hub, with its history. What is on this computer stays."""
    from ownvoice.workflow import publish

    account = connect_account()
    name = account.hub.writable_name(account.identity, repo)
    confirm(f"Delete the {kind} {name} from the Hub, with its history?", yes)
    remains = publish.withdraw(account, kind, name)
    click.echo(f"{name} is deleted from the Hub.")
    click.echo(" ".join(remains), err=True)


@command.command("work", hidden=True)  # what the app has a process of its own do
@click.argument("voice", type=click.Path(path_type=Path))
def work(voice: Path) -> None:
    """Do for VOICE what the person decided in the app."""
    from ownvoice.rundir import VoiceFolder
    from ownvoice.workflow import sharing_job

    sharing_job.work(VoiceFolder(voice))
