"""Who is signed in with Hugging Face on these pages: tokens in the memory of this process alone, one a browser.

A browser shows a random cookie; on a Space it is the account itself. Neither is or tells a token, and no route gives
one back. A server that is started anew has forgotten all of them.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request, Response

from ownvoice.credentials import Secret, Tokens, hub_token
from ownvoice.ui.access import account_of
from ownvoice.ui.frame import PageError

if TYPE_CHECKING:
    from ownvoice.workflow.publish import Account

PATIENCE_SECONDS = 3.0
"""A page does not wait longer for a busy Hub: it says so, and the person tries again."""
MOST = 256
"""Browsers remembered at a time."""


@dataclass(frozen=True)
class SignedIn:
    """One person's way to the Hub."""

    tokens: Tokens
    name: str
    places: tuple[str, ...]
    """Where the token may write; none when it can only read."""

    def connect(self) -> Account:
        """The Hub, asked anew who this is; errors as :func:`ownvoice.workflow.publish.connect`."""
        return _connect(self.tokens.hub)


class SignIns:
    """Everybody who signed in since the server was started; safe for the server's threads."""

    def __init__(self) -> None:
        self._cookie = f"ownvoice-hub-{secrets.token_hex(4)}"  # cookies know no ports: see guard.Login
        self._known: OrderedDict[str, SignedIn] = OrderedDict()
        self._changing = threading.Lock()

    def of(self, request: Request) -> SignedIn | None:
        """Who sent this request, where they signed in."""
        with self._changing:
            return self._known.get(self._key(request) or "")

    def sign_in(self, request: Request, response: Response, token: Secret | None) -> SignedIn:
        """Ask the Hub who this is, and remember it.

        Parameters
        ----------
        token
            Left out, that of this computer's own login, which only somebody who sits at it may use.

        Raises
        ------
        HubError
            when the token is not accepted, there is none, or the Hub cannot be reached.
        PageError
            403 when another computer asks for this one's login.
        """
        if token is None and not request.app.state.local:
            raise PageError(403, "this works only on the computer that ownvoice runs on")
        account = _connect(token)
        known = SignedIn(Tokens(account.hub.token), account.identity.name, account.identity.places)
        key = self._key(request)
        if key is None:
            key = secrets.token_urlsafe(32)
            response.set_cookie(self._cookie, key, httponly=True, samesite="strict")
        self._remember(key, known)
        return known

    def keep_space_token(self, request: Request, token: Secret) -> SignedIn:
        """Remember what a demo reads its private model with; errors as :meth:`require`."""
        known = self.require(request)
        known = replace(known, tokens=replace(known.tokens, space=token))
        self._remember(self._key(request) or "", known)
        return known

    def sign_out(self, request: Request) -> None:
        """Forget the token of whoever sent this."""
        with self._changing:
            self._known.pop(self._key(request) or "", None)

    def require(self, request: Request) -> SignedIn:
        """As :meth:`of`.

        Raises
        ------
        PageError
            401 when nobody is signed in.
        """
        known = self.of(request)
        if known is None:
            raise PageError(401, "nobody is signed in with Hugging Face", mend="Sign in on the page Share.")
        return known

    def _remember(self, key: str, known: SignedIn) -> None:
        with self._changing:
            self._known[key] = known
            self._known.move_to_end(key)
            if len(self._known) > MOST:
                self._known.popitem(last=False)

    def _key(self, request: Request) -> str | None:
        return account_of(request) if request.app.state.hosted else request.cookies.get(self._cookie)


def has_own_login(request: Request) -> bool:
    """Whether this computer is logged in with Hugging Face, and whoever asks sits at it."""
    return bool(request.app.state.local) and hub_token() is not None


def _connect(token: Secret | None) -> Account:
    from ownvoice.workflow.publish import connect

    return connect(lambda sentence: None, token, patience=PATIENCE_SECONDS)


sign_ins = SignIns()


def _require(request: Request) -> SignedIn:
    return sign_ins.require(request)


Me = Annotated[SignedIn, Depends(_require)]
