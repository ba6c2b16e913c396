"""What every command does that reaches the Hub: say who this is, and ask before something leaves or costs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ownvoice.workflow.publish import Account


def connect_account() -> Account:
    """Ask the Hub who this is, and say it."""
    from ownvoice.workflow.publish import connect

    account = connect(lambda sentence: click.echo(sentence, err=True))
    click.echo(account.identity.sentence, err=True)
    return account


def confirm(question: str, yes: bool) -> None:
    """Ask a person, unless ``yes``; an error where they say no or nobody can be asked."""
    from ownvoice.errors import OwnvoiceError, UsageError

    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("this has to be confirmed, and nobody can be asked here", mend="Say --yes to confirm it.")
    if not click.confirm(question, err=True):
        raise OwnvoiceError("nothing was sent or changed")
