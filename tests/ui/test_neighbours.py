"""Other accounts of the computer reach the app's address too, and get nothing from it."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from in_browser import Studio

from other_account import NOBODY, ask, connect, only_as_root

pytestmark = only_as_root


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    studio = Studio(tmp_path_factory.mktemp("studio"))
    yield studio
    studio.kill()


def request(studio: Studio, method: str, path: str, body: bytes = b"") -> bytes:
    host = f"127.0.0.1:{studio.port}"
    lines = [f"{method} {path} HTTP/1.1", f"host: {host}", f"origin: http://{host}", "connection: close"]
    lines += ["content-type: application/json", f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_another_account_is_shown_nothing_and_ones_own_everything(studio: Studio, family: socket.AddressFamily) -> None:
    front_page = request(studio, "GET", "/")
    refused = ask(studio.port, NOBODY, front_page, family)
    assert refused.startswith(b"HTTP/1.1 403 ")
    assert b"another account of this computer asks" in refused
    assert ask(studio.port, 0, front_page, family).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("hangs_up", ["at once", "rudely"])
def test_another_account_changes_nothing_by_asking_and_hanging_up(studio: Studio, hangs_up: str) -> None:
    for number in range(10):
        body = b'{"name": "Made by %s %d"}' % (hangs_up.encode(), number)
        with connect(studio.port, NOBODY) as connection:
            connection.sendall(request(studio, "POST", "/voices", body))
            if hangs_up == "rudely":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    front_page = request(studio, "GET", "/")
    assert ask(studio.port, 0, front_page).startswith(b"HTTP/1.1 200 ")  # what came before was answered by now
    assert not Path(studio.voices).exists()
