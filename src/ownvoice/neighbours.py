"""Which account of this computer is at the other end of a connection, so that a server on loopback serves its own.

A computer's accounts share 127.0.0.1: a server there is reached by all of them, while files of mode 0600 are not. Linux
tells whose each connection is (proc(5), ``/proc/net/tcp``); where the system does not tell, as on macOS and Windows,
nobody is taken for a neighbour.
"""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ESTABLISHED, _LISTENS = "01", "0A"

REFUSAL = "another account of this computer asks"
MEND = "Use the account of this computer that started ownvoice."
"""What a neighbour is told, by whichever server."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class _Row:
    """One end of a connection, or a socket that listens."""

    here: tuple[Address, int]
    there: tuple[Address, int]
    state: str
    uid: int


def is_neighbour(client: tuple[str, int] | None, server: tuple[str, int] | None) -> bool:
    """Whether the program at ``client``, which asks our server at ``server``, is another account's.

    Only an open connection of our own account or of root, who may read the files anyway, is none. One that was closed
    at once has no owner any more (the system lists it under root), so it is taken for a neighbour's: else anybody could
    send a request and hang up.

    Parameters
    ----------
    client, server
        Address and port, as in an ASGI scope.
    """
    if client is None or server is None or sys.platform != "linux":
        return False
    asks, answers = _end(*client), _end(*server)
    rows = list(_rows())
    if not any(row.state == _LISTENS and row.here[1] == server[1] for row in rows):
        return False  # the table does not tell of us
    asking = next((row for row in rows if (row.here, row.there) == (asks, answers)), None)
    if asking is not None:
        return asking.uid not in (0, os.geteuid()) or (asking.uid == 0 and asking.state != _ESTABLISHED)
    # Nobody in this system: the one that it runs inside, such as Windows around WSL; or somebody who is gone by now.
    return not any((row.here, row.there, row.state) == (answers, asks, _ESTABLISHED) for row in _rows())


def _rows() -> Iterator[_Row]:
    for table in _TABLES:
        try:
            lines = table.read_text(encoding="ascii").splitlines()[1:]
        except OSError:  # not mounted, or no such protocol here
            continue
        for line in lines:
            _, here, there, state, *rest = line.split()
            yield _Row(_written(here), _written(there), state, int(rest[3]))


def _written(end: str) -> tuple[Address, int]:
    """An end as the table writes it: words of 32 bits in this processor's order, then the port."""
    address, _, port = end.partition(":")
    words = (int(address[at : at + 8], 16) for at in range(0, len(address), 8))
    return _plain(ipaddress.ip_address(b"".join(word.to_bytes(4, sys.byteorder) for word in words))), int(port, 16)


def _end(host: str, port: int) -> tuple[Address, int] | None:
    try:
        return _plain(ipaddress.ip_address(host)), port
    except ValueError:
        return None


def _plain(address: Address) -> Address:
    """An IPv4 address also where a program wrote it as an IPv6 one."""
    return getattr(address, "ipv4_mapped", None) or address
