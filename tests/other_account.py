"""Connections that another account of the computer makes to a server on it; only root on Linux can make them."""

from __future__ import annotations

import os
import socket
import sys

import pytest

NOBODY = 65534
"""An account that owns nothing here."""

only_as_root = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root on Linux can ask as somebody else"
)


def connect(port: int, account: int, family: socket.AddressFamily = socket.AF_INET) -> socket.socket:
    """A connection of ``account``: a socket belongs to who made it."""
    os.seteuid(account)
    try:
        connection = socket.socket(family)
    finally:
        os.seteuid(0)
    connection.settimeout(20)
    connection.connect(("::ffff:127.0.0.1" if family == socket.AF_INET6 else "127.0.0.1", port))
    return connection


def ask(port: int, account: int, request: bytes, family: socket.AddressFamily = socket.AF_INET) -> bytes:
    """The whole answer to a request that says ``connection: close``."""
    with connect(port, account, family) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))
