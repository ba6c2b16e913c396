"""Who may ask: the API key, and on this computer alone the host and the origin a browser names, and whose program asks.

Without a key the server listens on this computer only. There the danger is a web page in the person's own browser: it
can send requests to 127.0.0.1, also under a name of its own that it lets point there. So a request that names a foreign
host or origin is refused. So is a program of another account, where the system tells (:mod:`ownvoice.neighbours`).
Nothing here reads a request's body.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from anyio.to_thread import run_sync
from starlette.datastructures import Headers
from starlette.types import Scope

from ownvoice import neighbours
from ownvoice.credentials import Secret
from ownvoice.errors import UsageError

OPEN_PATHS = ("/health",)
"""What a load balancer may ask without a key; it tells nothing of anybody."""


class Access:
    """Decides by a request's headers, and by where it comes from."""

    def __init__(self, host: str, key: Secret | None, origins: Iterable[str] = ()) -> None:
        """Raises :class:`UsageError` when others could reach the server and there is no key."""
        self._local = is_loopback(host)
        self._key = key
        self._origins = {origin.rstrip("/").lower() for origin in origins}
        if not self._local and key is None:
            raise UsageError(
                "other computers could reach this address, and there is no key that would keep them out",
                where=host,
                mend="Put a key of your own into the environment variable OWNVOICE_API_KEY, or use --host 127.0.0.1.",
            )

    async def refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        """Status and reason for which a request is refused, or None when it is let in."""
        if (refused := self._refusal_of_headers(scope["path"], headers)) is not None:
            return refused
        if self._key is not None or scope["path"] in OPEN_PATHS:
            return None
        if not await run_sync(neighbours.is_neighbour, scope["client"], scope["server"]):
            return None
        return (
            403,
            f"{neighbours.REFUSAL}. {neighbours.MEND} A server with a key (OWNVOICE_API_KEY) answers others too.",
        )

    def _refusal_of_headers(self, path: str, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if self._local and self._key is None and not is_loopback(_name(host)):
            return 403, "this server answers to this computer's own names only, for example 127.0.0.1"
        origin = headers.get("origin")
        if origin is not None and not self._knows(origin, host):
            return 403, f"web pages of {origin} may not use this server; it can be started with --origins"
        if self._key is None or path in OPEN_PATHS:
            return None
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(shown.encode(), self._key.reveal().encode()):
            return 401, "the API key is missing or wrong; send it as: Authorization: Bearer KEY"
        return None

    def _knows(self, origin: str, host: str) -> bool:
        return origin.lower() in self._origins or urlsplit(origin).netloc.lower() == host.lower()


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this computer's own, reachable from nowhere else."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _name(host: str) -> str:
    """The host header without its port: "[::1]:8000" is "::1"."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
