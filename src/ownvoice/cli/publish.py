"""``ownvoice publish``: says who you are and what would leave this computer, asks, and does it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from ownvoice.cli.progress import RunProgress
    from ownvoice.credentials import Secret
    from ownvoice.publishing.record import Published
    from ownvoice.workflow.publish import Account, Plan

_F = TypeVar("_F", bound=Callable[..., None])


def sharing_options(function: _F) -> _F:
    """The options that every kind of publishing has."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print a JSON array instead of addresses."),
        click.option("--yes", is_flag=True, help="Answer every question with yes, the one for consent too."),
        click.option("--public/--private", default=False, help="Who can read it: everybody, or only you  [private]"),
    ):
        function = option(function)
    return function


def card_options(function: _F) -> _F:
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
@card_options
@sharing_options
def dataset(
    voice: Path,
    conditions: str,
    repo: str | None,
    public: bool,
    author: str,
    licence: str,
    yes: bool,
    as_json: bool,
) -> None:
    """The recordings in the folder VOICE, as a data set that plays at once."""
    from ownvoice.publishing.card import Wishes
    from ownvoice.rundir import VoiceFolder
    from ownvoice.workflow.publish_plan import plan_dataset

    wishes = Wishes(author, licence, conditions)

    def plans(account: Account, progress: RunProgress) -> Sequence[Plan]:
        return [plan_dataset(account, VoiceFolder(voice), repo=repo, public=public, wishes=wishes)]

    share(plans, yes=yes, as_json=as_json)


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
@card_options
@sharing_options
def model(
    run: Path,
    form: Any,
    quantise: Any,
    repo: str | None,
    public: bool,
    author: str,
    licence: str,
    yes: bool,
    as_json: bool,
) -> None:
    """The model of the training run RUN, with its card. No recording is ever in it."""
    from ownvoice.publishing.card import Wishes
    from ownvoice.rundir import RunFolder
    from ownvoice.workflow.publish_plan import plan_model

    wishes = Wishes(author, licence)

    def plans(account: Account, progress: RunProgress) -> Sequence[Plan]:
        return [
            plan_model(
                account,
                RunFolder(run),
                form=form,
                quantise=quantise,
                repo=repo,
                public=public,
                wishes=wishes,
                progress=progress.stage,
            )
        ]

    share(plans, yes=yes, as_json=as_json)


@command.command("space", short_help="A demo of a published model.")
@click.argument("run", type=click.Path(path_type=Path))
@_HARDWARE
@_COMPARE
@_REPO
@sharing_options
def space(run: Path, machine: str, compares: bool, repo: str | None, public: bool, yes: bool, as_json: bool) -> None:
    """A demo of the published model of the training run RUN, as a Space: record or upload, and read what it hears.

    Waits until it runs, and sends it one recording to see that it hears. A private model needs a token that can only
    read; it is asked for, or taken from OWNVOICE_SPACE_TOKEN.
    """
    from ownvoice.rundir import RunFolder
    from ownvoice.workflow.publish_space import plan_space

    def plans(account: Account, progress: RunProgress) -> Sequence[Plan]:
        return [
            plan_space(
                account,
                RunFolder(run),
                machine=machine,
                compares=compares,
                repo=repo,
                public=public,
                ask_token=_ask_read_token,
            )
        ]

    share(plans, yes=yes, as_json=as_json)


@command.command("all", short_help="A run's recordings, its model, and a demo if wanted; asked for once.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--space", "demo", is_flag=True, help="A demo Space as well.")
@_HARDWARE
@_COMPARE
@_CONDITIONS
@card_options
@sharing_options
def everything(
    run: Path,
    demo: bool,
    machine: str,
    compares: bool,
    conditions: str,
    public: bool,
    author: str,
    licence: str,
    yes: bool,
    as_json: bool,
) -> None:
    """The recordings and the model of the training run RUN, with --space a demo too, asked for once."""
    from ownvoice.publishing.card import Wishes
    from ownvoice.rundir import RunFolder
    from ownvoice.workflow.publish_plan import plan_all
    from ownvoice.workflow.publish_space import plan_all_three

    wishes = Wishes(author, licence, conditions)

    def plans(account: Account, progress: RunProgress) -> Sequence[Plan]:
        if not demo:
            return plan_all(account, RunFolder(run), public=public, wishes=wishes, progress=progress.stage)
        return plan_all_three(
            account,
            RunFolder(run),
            machine=machine,
            compares=compares,
            public=public,
            wishes=wishes,
            ask_token=_ask_read_token,
            progress=progress.stage,
        )

    share(plans, yes=yes, as_json=as_json)


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


def share(make_plans: Callable[[Account, RunProgress], Sequence[Plan]], *, yes: bool, as_json: bool) -> None:
    """Connect, plan, show, ask, carry out, and print where it is."""
    from ownvoice.cli.progress import RunProgress
    from ownvoice.workflow.publish import carry_out

    account = connect_account()
    with RunProgress() as progress:
        plans = make_plans(account, progress)
    for plan in plans:
        _show(plan)
    if any(plan.public or plan.consent or plan.costs for plan in plans):
        agreed = "Does the speaker agree to this, and shall" if any(plan.consent for plan in plans) else "Shall"
        confirm(f"{agreed} it be sent?", yes)
    published = [carry_out(account, plan, _say_sent) for plan in plans]
    _print(plans, published, as_json)


def _say_sent(stage: str, done: int, total: int | None) -> None:
    """A line for each batch; on a terminal the Hub's client draws a bar of its own for each large file."""
    from ownvoice.workflow.publish import readable_size

    if total:
        click.echo(f"{stage}: {readable_size(done)} of {readable_size(total)}", err=True)


def connect_account() -> Account:
    """Ask the Hub who this is, and say it."""
    from ownvoice.workflow.publish import connect

    account = connect(lambda sentence: click.echo(sentence, err=True))
    click.echo(account.identity.sentence, err=True)
    return account


def _ask_read_token(model: str) -> Secret | None:
    """The token of a demo, from the environment or a masked question; it is kept in memory alone."""
    from ownvoice.credentials import Secret, space_token

    token = space_token()
    if token is not None or not sys.stdin.isatty():
        return token
    question = f"The model {model} is private. A token that can only read it, for the demo"
    return Secret(click.prompt(question, hide_input=True, err=True))


def _show(plan: Plan) -> None:
    from ownvoice.workflow.publish import readable_size

    readers = "PUBLIC: everybody can read and copy it" if plan.public else "private: only those you let in can read it"
    lines = [f"\nThe {plan.kind} {plan.repo} will be {readers}. It holds:"]
    lines += [f"  - {sentence}" for sentence in plan.contains]
    lines.append(f"Its files, {readable_size(plan.size)} in all:")
    lines += [f"  {line}" for line in plan.listing]
    lines += [f"Note: {note}" for note in plan.notes]
    if plan.consent:
        lines.append(f'What the speaker agrees to, kept in voice.yaml and on the card:\n  "{plan.consent}"')
    click.echo("\n".join(lines), err=True)


def confirm(question: str, yes: bool) -> None:
    """Ask a person, unless ``yes``; an error where they say no or nobody can be asked."""
    from ownvoice.errors import OwnvoiceError, UsageError

    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("this has to be confirmed, and nobody can be asked here", mend="Say --yes to confirm it.")
    if not click.confirm(question, err=True):
        raise OwnvoiceError("nothing was sent or changed")


def _print(plans: Sequence[Plan], published: Sequence[Published], as_json: bool) -> None:
    if as_json:
        import json

        rows = [
            {"kind": plan.kind, "repo": done.repo, "url": done.url, "public": done.public, "commit": done.commit}
            for plan, done in zip(plans, published, strict=True)
        ]
        click.echo(json.dumps(rows))
        return
    for done in published:
        click.echo(done.url)
