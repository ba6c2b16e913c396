"""Stands before every route, the static files and unknown addresses too: who may ask, from where, and how much at once.

An ASGI middleware that answers refusals itself and puts the security headers on every answer. Who somebody is and where
their voices lie is told in ``access.py``.
"""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from anyio.to_thread import run_sync
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ownvoice import neighbours

MAX_BODY_BYTES = 8 << 20
"""Of one request: a part of a take has 200 kB, a piece of an uploaded file 2 MB."""

TOO_LARGE = "this is too large to send at once"

COOKIE_SECONDS = 30 * 24 * 3600
"""How long a browser stays signed in; at the latest until the server is started anew."""

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Names under which a browser on this computer asks this computer. Any other name that leads here is another site's,
which tries to look like ours (DNS rebinding)."""

SIGN_IN = "/oauth/huggingface/"
"""Where Hugging Face's sign-in routes are; open to everyone."""

_READS = frozenset({"GET", "HEAD", "OPTIONS"})

_POLICY = (
    "default-src 'self'; img-src 'self' data:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors "
)


@dataclass(frozen=True)
class Login:
    """The way in where other computers can reach the server: a token in the first address, then a cookie.

    Both are random and last as long as the server runs. The cookie is not the token, so that neither tells the other.
    """

    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    cookie_name: str = field(default_factory=lambda: f"ownvoice-{secrets.token_hex(4)}")
    """Another one each time: cookies know no ports, and two servers on one computer are not to sign each other out."""


@dataclass(frozen=True)
class Access:
    """Who may ask."""

    hosts: frozenset[str] | None = LOOPBACK_HOSTS
    """Names by which the server may be asked; None for any."""
    login: Login | None = None
    """What must be shown first; None where nobody else can reach the server."""
    hosted: bool = False
    """On a Space: people sign in with Hugging Face, and each sees their own voices alone."""
    own_account: bool = False
    """Whether programs of this computer's other accounts are refused, where the system tells whose they are."""


@dataclass(frozen=True)
class _Refusal:
    status: HTTPStatus
    what: str
    mend: str


class Guard:
    """Lets through what :class:`Access` allows."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers) or await self._refusal_of_neighbours(scope)
        if refusal is not None:
            await self._refuse(scope, headers, refusal, receive, send)
        elif scope["type"] == "http":
            if (target := self._signed_in(scope)) is not None:
                await self._welcome(target, send)
            else:
                await self._app(scope, _limited(receive), self._dressed(scope, send))
        else:
            await self._app(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> _Refusal | None:
        if self._access.hosts is not None and _name(headers.get("host", "")) not in self._access.hosts:
            mend = "Open the address that ownvoice printed in the terminal."
            return _Refusal(HTTPStatus.MISDIRECTED_REQUEST, "this is not a name of this server", mend)
        if not self._is_known(scope, headers):
            if self._access.hosted:
                return _Refusal(HTTPStatus.UNAUTHORIZED, "nobody is signed in", "Sign in with Hugging Face.")
            mend = "Open the address with the token that ownvoice printed in the terminal."
            return _Refusal(HTTPStatus.UNAUTHORIZED, "a token is needed", mend)
        if not _is_read(scope) and not _is_same_origin(headers):
            return _Refusal(HTTPStatus.FORBIDDEN, "this came from another page", "Use ownvoice's own pages.")
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > MAX_BODY_BYTES:
            return _Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE, "Send it in parts.")
        return None

    async def _refusal_of_neighbours(self, scope: Scope) -> _Refusal | None:
        if not self._access.own_account or scope["path"].startswith("/static/"):
            return None
        if not await run_sync(neighbours.is_neighbour, scope["client"], scope["server"]):
            return None
        return _Refusal(HTTPStatus.FORBIDDEN, neighbours.REFUSAL, neighbours.MEND)

    def _is_known(self, scope: Scope, headers: Headers) -> bool:
        if self._access.hosted:
            open_to_all = scope["path"].startswith(("/static/", SIGN_IN))
            return open_to_all or "oauth_info" in scope.get("session", {})
        if (login := self._access.login) is None:
            return True
        shown = cookie_parser(headers.get("cookie", "")).get(login.cookie_name, "")
        return _same(shown, login.cookie) or (scope["type"] == "http" and self._shows_token(scope))

    def _shows_token(self, scope: Scope) -> bool:
        login = self._access.login
        return (
            login is not None and scope["method"] == "GET" and _same(dict(_query(scope)).get("token", ""), login.token)
        )

    def _signed_in(self, scope: Scope) -> str | None:
        """The address without its token, when it shows the right one."""
        if not self._shows_token(scope):
            return None
        rest = urlencode([(name, value) for name, value in _query(scope) if name != "token"])
        path = "/" + quote(scope["path"].lstrip("/"))  # never //other.site
        return f"{path}?{rest}" if rest else path

    async def _welcome(self, target: str, send: Send) -> None:
        login = self._access.login
        if login is None:
            raise RuntimeError("nobody can sign in here")
        cookie = f"{login.cookie_name}={login.cookie}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Strict"
        headers = {"location": target, "set-cookie": cookie, "content-length": "0"}
        await _answer(self._dressed({"path": "/"}, send), HTTPStatus.SEE_OTHER, headers, b"")

    async def _refuse(self, scope: Scope, headers: Headers, refusal: _Refusal, receive: Receive, send: Send) -> None:
        """A sentence for somebody who navigates, JSON for a script; a WebSocket is refused before it opens."""
        if "text/html" not in headers.get("accept", ""):
            kind, text = "application/json", json.dumps({"message": refusal.what, "where": None, "mend": refusal.mend})
        elif self._access.hosted and refusal.status == HTTPStatus.UNAUTHORIZED:
            link = f'<a href="{SIGN_IN}login" target="_blank">{refusal.mend}</a>'
            kind = "text/html; charset=utf-8"
            text = f'<!DOCTYPE html><html lang="en"><title>ownvoice</title><h1>ownvoice</h1><p>{link}</p></html>'
        else:
            kind, text = "text/plain; charset=utf-8", f"ownvoice: {refusal.what}.\n{refusal.mend}\n"
        body = text.encode()
        answer = {"content-type": kind, "content-length": str(len(body))}
        if scope["type"] == "websocket":
            await receive()  # websocket.connect
            if "websocket.http.response" not in scope.get("extensions", {}):
                await send({"type": "websocket.close", "code": 1008, "reason": refusal.what})
                return
        await _answer(self._dressed(scope, send), refusal.status, answer, body, scope["type"])

    def _dressed(self, scope: Scope, send: Send) -> Send:
        """``send`` with the security headers."""

        async def dressed(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                secure(MutableHeaders(scope=message), scope["path"], hosted=self._access.hosted)
            await send(message)

        return dressed


def secure(headers: MutableHeaders, path: str, *, hosted: bool) -> None:
    """Add the security headers of an answer to ``path``; its own policy for its content goes before ours."""
    ancestors = "'self' https://huggingface.co" if hosted else "'none'"
    headers.setdefault("content-security-policy", _POLICY + ancestors)
    headers["x-content-type-options"] = "nosniff"
    headers["referrer-policy"] = "no-referrer"
    headers["cross-origin-opener-policy"] = "same-origin"
    headers["cross-origin-resource-policy"] = "same-origin"
    headers["permissions-policy"] = "microphone=(self), camera=(), geolocation=()"
    headers.setdefault("cache-control", "no-cache" if path.startswith("/static/") else "no-store")


async def _answer(send: Send, status: int, headers: dict[str, str], body: bytes, kind: str = "http") -> None:
    prefix = "websocket.http" if kind == "websocket" else "http"
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": f"{prefix}.response.start", "status": int(status), "headers": raw})
    await send({"type": f"{prefix}.response.body", "body": body})


def _limited(receive: Receive) -> Receive:
    """``receive`` that ends a body that grows beyond the limit without having said so."""
    total = 0

    async def limited() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > MAX_BODY_BYTES:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)
        return message

    return limited


def _is_read(scope: Scope) -> bool:
    return scope["type"] == "http" and scope["method"] in _READS


def _is_same_origin(headers: Headers) -> bool:
    """Whether a page of ours sent this. Browsers say so in one of two headers, and no page can change them."""
    if (site := headers.get("sec-fetch-site")) is not None:
        return site == "same-origin"
    origin = urlsplit(headers.get("origin", ""))
    return origin.scheme in ("http", "https") and origin.netloc.lower() == headers.get("host", "").lower()


def _name(host: str) -> str:
    """Of a Host header, without its port."""
    if host.startswith("["):
        return host[: host.find("]") + 1].lower()
    return host.partition(":")[0].lower()


def _query(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)


def _same(shown: str, secret: str) -> bool:
    """Compared in a time that does not tell how much of it is right."""
    return hmac.compare_digest(shown.encode(), secret.encode())
