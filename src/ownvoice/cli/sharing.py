"""The course of every ``ownvoice publish`` command: connect, plan, show, ask, carry out, print where it is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from ownvoice.cli.account import confirm, connect_account

if TYPE_CHECKING:
    from ownvoice.cli.progress import RunProgress
    from ownvoice.credentials import Secret
    from ownvoice.publishing.record import Published
    from ownvoice.workflow.publish import Account, Plan

MakePlans = Callable[["Account", "RunProgress"], "Sequence[Plan]"]


def shares(command: Callable[..., MakePlans]) -> Callable[..., None]:
    """Make a command of a function that says what to plan; gives it the options that every kind of publishing has."""

    @click.option("--public/--private", default=False, help="Who can read it: everybody, or only you  [private]")
    @click.option("--yes", is_flag=True, help="Answer every question with yes, the one for consent too.")
    @click.option("--json", "as_json", is_flag=True, help="Print a JSON array instead of addresses.")
    @wraps(command)
    def share(*arguments: Any, yes: bool, as_json: bool, **options: Any) -> None:
        _share(command(*arguments, **options), yes=yes, as_json=as_json)

    return share


def _share(make_plans: MakePlans, *, yes: bool, as_json: bool) -> None:
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
    from ownvoice.quantities import readable_size

    if total:
        click.echo(f"{stage}: {readable_size(done)} of {readable_size(total)}", err=True)


def ask_read_token(model: str) -> Secret | None:
    """The token of a demo, from the environment or a masked question; it is kept in memory alone."""
    from ownvoice.credentials import Secret, space_token

    token = space_token()
    if token is not None or not sys.stdin.isatty():
        return token
    question = f"The model {model} is private. A token that can only read it, for the demo"
    return Secret(click.prompt(question, hide_input=True, err=True))


def _show(plan: Plan) -> None:
    from ownvoice.quantities import readable_size

    readers = "PUBLIC: everybody can read and copy it" if plan.public else "private: only those you let in can read it"
    lines = [f"\nThe {plan.kind} {plan.repo} will be {readers}. It holds:"]
    lines += [f"  - {sentence}" for sentence in plan.contains]
    lines.append(f"Its files, {readable_size(plan.size)} in all:")
    lines += [f"  {line}" for line in plan.listing]
    lines += [f"Note: {note}" for note in plan.notes]
    if plan.consent:
        lines.append(f'What the speaker agrees to, kept in voice.yaml and on the card:\n  "{plan.consent}"')
    click.echo("\n".join(lines), err=True)


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
