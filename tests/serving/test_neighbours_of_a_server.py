"""Other accounts of the computer reach a server's address too: without a key it answers none of them."""

from __future__ import annotations

import base64

import pytest

from live_server import CLIPS, Server, serving
from other_account import NOBODY, ask, only_as_root

pytestmark = only_as_root


def request(server: Server, first_line: str, body: bytes = b"", **headers: str) -> bytes:
    given = {"host": f"127.0.0.1:{server.port}", "connection": "close", "content-length": str(len(body))} | headers
    lines = [first_line, *(f"{name.replace('_', '-')}: {value}" for name, value in given.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def transcription(server: Server) -> bytes:
    parts = b'--x\r\ncontent-disposition: form-data; name="model"\r\n\r\ntiny\r\n'
    parts += b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.ogg"\r\n\r\n' + CLIPS[0].read_bytes()
    kind = "multipart/form-data; boundary=x"
    return request(server, "POST /v1/audio/transcriptions HTTP/1.1", parts + b"\r\n--x--\r\n", content_type=kind)


def test_another_account_is_told_nothing_and_ones_own_is_answered(server: Server) -> None:
    models = request(server, "GET /v1/models HTTP/1.1")
    asks = [models, transcription(server), request(server, "GET /v1/models HTTP/1.1", x_forwarded_for="127.0.0.1")]
    for asked in asks:
        refused = ask(server.port, NOBODY, asked)
        assert refused.startswith(b"HTTP/1.1 403 ") and b"tiny" not in refused
        assert b"another account of this computer asks. Use the account" in refused
        assert ask(server.port, 0, asked).startswith(b"HTTP/1.1 200 ")
    assert ask(server.port, NOBODY, request(server, "GET /health HTTP/1.1")).startswith(b"HTTP/1.1 200 ")


def test_another_account_opens_no_dictation(server: Server) -> None:
    key = base64.b64encode(bytes(16)).decode()
    handshake = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec_websocket_version": "13",
        "sec_websocket_key": key,
    }
    opening = request(server, "GET /v1/dictation HTTP/1.1", **handshake)
    assert ask(server.port, NOBODY, opening).startswith(b"HTTP/1.1 403 ")


@pytest.mark.slow
def test_with_a_key_whoever_shows_it_is_answered() -> None:
    with serving("tiny", key="open sesame") as server:
        shown = request(server, "GET /v1/models HTTP/1.1", authorization="Bearer open sesame")
        assert ask(server.port, NOBODY, shown).startswith(b"HTTP/1.1 200 ")
        assert ask(server.port, NOBODY, request(server, "GET /v1/models HTTP/1.1")).startswith(b"HTTP/1.1 401 ")
