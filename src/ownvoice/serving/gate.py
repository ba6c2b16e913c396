"""What every request passes before a route sees it: access, how many at a time, how large, how slow.

A pure ASGI layer, so that a request that is refused costs no memory: its body is never collected here. Says nothing of
what is in a request.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ownvoice.config import ServeSettings
from ownvoice.serving.access import Access

_DRAIN_SECONDS = 1.0
"""A refused client may finish sending for so long: many read no answer before that. What it sends is thrown away."""
_STOPPING = "the server is stopping; ask again when it is back"
_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


class Gate:
    """Lets requests through to ``app``, or answers them itself."""

    def __init__(
        self, app: ASGIApp, *, settings: ServeSettings, access: Access, retry_after: Callable[[], int]
    ) -> None:
        self._app = app
        self._settings = settings
        self._access = access
        self._retry_after = retry_after
        self._held = 0
        self._times: set[asyncio.Timeout] = set()
        self.stopping = False
        """Whether the server is being stopped: what comes from then on is refused."""

    def stop(self, patience: float) -> None:
        """Refuse what comes, and after ``patience`` seconds what is still being received, decoded or heard.

        Called in the thread of the event loop.
        """
        self.stopping = True
        until = asyncio.get_running_loop().time() + patience
        for time in self._times:
            time.reschedule(until)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = await self._access.refusal(scope, headers)
        if scope["type"] == "websocket":
            if refusal is not None or self.stopping or self._held >= self._settings.max_requests:
                await send({"type": "websocket.close", "code": 1008})
                return
            await self._hold(scope, receive, send)
            return
        if refusal is not None:
            await self._refuse(*refusal, receive, send)
        elif scope["method"] != "POST":
            await self._app(scope, receive, send)
        elif self._too_large(headers):
            await self._refuse(413, self._size_limit, receive, send)
        elif self.stopping:
            await self._refuse(503, _STOPPING, receive, send)
        elif self._held >= self._settings.max_requests:
            await self._refuse(429, "too many requests are waiting", receive, send)
        else:
            await self._answer_in_time(scope, *self._bounded(receive, send))

    async def _answer_in_time(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through; it gets an honest answer too when it has none by the time the server has to end."""
        begun = False

        async def beginning(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        time = asyncio.timeout(None)
        try:
            async with time:
                self._times.add(time)
                await self._hold(scope, receive, beginning)
        except TimeoutError:
            if begun or not time.expired():
                raise
            await self._send_refusal(503, _STOPPING, send)
        finally:
            self._times.discard(time)

    async def _hold(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._held += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._held -= 1

    @property
    def _size_limit(self) -> str:
        return f"the request is larger than {self._settings.max_megabytes:g} MB"

    @property
    def _max_bytes(self) -> int:
        return int(self._settings.max_megabytes * 1_000_000)

    def _too_large(self, headers: Headers) -> bool:
        stated = headers.get("content-length", "0")
        return stated.isdecimal() and int(stated) > self._max_bytes

    def _bounded(self, receive: Receive, send: Send) -> tuple[Receive, Send]:
        """Count what comes in, and how long it takes: a client may state no length, or send a byte a minute.

        An answer given before the request has wholly arrived ends the connection, or the rest would be read for ever.
        """
        received, whole = 0, False
        deadline = asyncio.get_running_loop().time() + self._settings.upload_seconds

        async def bounded() -> Message:
            nonlocal received, whole
            if whole:  # what comes now is that the client has gone
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, "the request took too long to arrive") from None
            received += len(message.get("body", b""))
            whole = message["type"] == "http.request" and not message.get("more_body", False)
            if received > self._max_bytes:
                raise HTTPException(413, self._size_limit)
            return message

        async def closing(message: Message) -> None:
            if message["type"] == "http.response.start" and not whole:
                message["headers"] = [*message.get("headers", []), (b"connection", b"close")]
            await send(message)

        return bounded, closing

    async def _refuse(self, status: int, reason: str, receive: Receive, send: Send) -> None:
        if status != 413:  # what is too large is not worth waiting for
            await _drain(receive)
        await self._send_refusal(status, reason, send)

    async def _send_refusal(self, status: int, reason: str, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
        if status in {429, 503}:
            headers.append((b"retry-after", str(self._retry_after()).encode()))
        if status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(error_body(status, reason)).encode()})


def error_body(status: int, message: str) -> dict[str, object]:
    """An error as OpenAI's clients read it."""
    kind = _KINDS.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


async def _drain(receive: Receive) -> None:
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            while (message := await receive())["type"] == "http.request" and message.get("more_body", False):
                pass
    except TimeoutError:
        pass
