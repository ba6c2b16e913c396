"""The only reader of tokens.

A token lives in the environment or in the Hub client's own login. It is handed out wrapped in
:class:`Secret`, which prints as stars, so that a log line, a traceback or an f-string cannot show it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass


class Secret:
    """A string that shows itself to :meth:`reveal` alone."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(****)"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a secret is never written to disk")


@dataclass(frozen=True)
class Tokens:
    """What a person who signed in on a page gave; kept in memory alone."""

    hub: Secret
    space: Secret | None = None
    """Given to a demo Space, which reads its private model with it."""

    def environment(self) -> dict[str, str]:
        """This process's environment with these tokens, and none else, for a process that works for this person."""
        kept = {name: value for name, value in os.environ.items() if name not in ("HF_TOKEN", "OWNVOICE_SPACE_TOKEN")}
        given = {"HF_TOKEN": self.hub.reveal().strip()}
        if self.space is not None:
            given["OWNVOICE_SPACE_TOKEN"] = self.space.reveal().strip()
        return kept | given


def hub_token() -> Secret | None:
    """The Hugging Face token of this person, from ``HF_TOKEN`` or the client's own login; None when there is none."""
    value = os.environ.get("HF_TOKEN")
    if not value:
        from huggingface_hub import get_token

        value = get_token()
    return Secret(value) if value else None


def space_token() -> Secret | None:
    """The token a demo Space reads its private model with, from ``OWNVOICE_SPACE_TOKEN``; None when there is none."""
    value = os.environ.get("OWNVOICE_SPACE_TOKEN")
    return Secret(value) if value else None


def server_key() -> Secret | None:
    """The key clients of ``ownvoice serve`` have to show, from ``OWNVOICE_API_KEY``; None when there is none."""
    value = os.environ.get("OWNVOICE_API_KEY")
    return Secret(value) if value else None
