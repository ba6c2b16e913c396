"""HTTP of the local Hub: requests in, answers out, every byte counted, and faults where a test wants them.

Knows nothing of repositories or jobs: those are functions under :func:`route`, in files of their own.
"""

from __future__ import annotations

import json
import re
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from fakes.hub.state import Hub, Token


@dataclass(frozen=True)
class Seen:
    """One request as it came in."""

    method: str
    path: str
    bytes: int
    """Length of its body, as far as it was read."""
    token: str | None


@dataclass
class Fault:
    """What goes wrong, and when: the requests ``first`` to ``first + times - 1`` that fit ``method`` and ``path``.

    ``action`` is a status to answer with, ``"cut"`` to break the connection in the middle of the body, ``"lose"`` to do
    what was asked and break the connection before the answer, or ``"stall"`` not to answer until the client hangs up.
    """

    method: str
    path: str
    """Regular expression, searched in the path."""
    action: int | str
    first: int = 1
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    message: str = "a fault of the test"
    met: int = 0

    def strikes(self, method: str, path: str) -> bool:
        if method != self.method or not re.search(self.path, path):
            return False
        self.met += 1
        return self.first <= self.met < self.first + self.times


@dataclass
class Answer:
    """A body of JSON, bytes, or pieces that come one after another."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Refused(Exception):
    """An answer of status 400 and up, as the Hub words it."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})
        self.answer = Answer({"error": message}, status, headers)


@dataclass(frozen=True)
class Request:
    """A request whose body has been read."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    token: Token | None

    def json(self) -> dict[str, Any]:
        return json.loads(self.body)  # type: ignore[no-any-return]

    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.body.decode())


Route = Callable[..., Answer]
_ROUTES: list[tuple[str, re.Pattern[str], Route]] = []

REPO = r"(?P<repo>[\w.-]+/[\w.-]+)"
KIND = r"(?P<kind>model|dataset|space)s"


def route(method: str, pattern: str) -> Callable[[Route], Route]:
    """Let a function answer ``method`` on paths that match ``pattern`` as a whole, in the order they are registered."""

    def register(function: Route) -> Route:
        _ROUTES.append((method, re.compile(pattern), function))
        return function

    return register


class Handler(BaseHTTPRequestHandler):
    """Reads a request, asks the faults, finds the route, and writes the answer."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for the client's system to acknowledge its head
    wbufsize = -1
    hub: Hub

    def _handle(self) -> None:
        url = urlsplit(self.path)
        path = unquote(url.path)
        with self.hub.lock:
            struck = [fault for fault in self.hub.faults if fault.strikes(self.command, path)]
        fault = struck[0] if struck else None
        body = self._read_body(stop_half_way=fault is not None and fault.action == "cut")
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None
        with self.hub.lock:
            self.hub.seen.append(Seen(self.command, path, len(body), token))
        if fault is not None and fault.action == "stall":
            self.connection.recv(1, socket.MSG_PEEK)
        if fault is not None and fault.action in ("cut", "stall"):
            return self._break()
        if fault is not None and isinstance(fault.action, int):
            refused = Refused(fault.action, fault.message).answer
            return self._write(Answer(refused.body, refused.status, refused.headers | fault.headers))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self._answer(path, parse_qs(url.query), headers, body, token)
        if fault is not None:
            return self._break()
        self._write(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _handle

    def _answer(
        self, path: str, query: dict[str, list[str]], headers: dict[str, str], body: bytes, token: str | None
    ) -> Answer:
        method = "GET" if self.command == "HEAD" else self.command
        try:
            known = self.hub.known(token)
            for wanted, pattern, function in _ROUTES:
                if wanted == method and (match := pattern.fullmatch(path)):
                    with self.hub.lock:
                        return function(
                            self.hub, Request(method, path, query, headers, body, known), **match.groupdict()
                        )
        except Refused as refused:
            return refused.answer
        return Refused(404, f"the local Hub knows no {method} {path}").answer

    def _read_body(self, *, stop_half_way: bool) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            pieces = []
            while size := int(self.rfile.readline(), 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)
        length = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(length // 2 if stop_half_way else length)

    def _break(self) -> None:
        """Reset the connection, as a network that fails does."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        headers = {"Content-Type": "application/json"} | answer.headers
        if isinstance(answer.body, Iterator):
            return self._write_pieces(answer.body, headers)
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _write_pieces(self, pieces: Iterator[bytes], headers: dict[str, str]) -> None:
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.close_connection = True
        self.end_headers()
        try:
            for piece in pieces:
                self.wfile.write(piece)
                self.wfile.flush()
        except OSError:  # the client hung up, which is its right
            pass

    def log_message(self, *_: object) -> None:
        pass
