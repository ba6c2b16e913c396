"""A Hugging Face Hub on loopback that the real client reads from and writes to, for tests.

    with running_hub(tmp_path) as hub:
        hub.add_token(Token("hf_test", "anna"))
        ...run something with hub.environment("hf_test", tmp_path)...

wire.py      HTTP, byte counts, faults        state.py   what the Hub knows, and who may do what
accounts.py  whoami                           repos.py   repositories and commits       lfs.py   large files
cards.py     the check of a card's head       spaces.py  secrets, hardware, builds      jobs.py  commands as processes
hardware.py  machines and prices (before jobs.py: the first route that fits answers)
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path

from fakes.hub import accounts, cards, hardware, jobs, lfs, repos, spaces  # noqa: F401 - imported for their routes
from fakes.hub.repos import add_repo
from fakes.hub.state import Hub, Token
from fakes.hub.wire import Handler

__all__ = ["Hub", "Token", "add_repo", "client_environment", "running_hub"]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is no fault of the Hub's."""


@contextmanager
def running_hub(folder: Path) -> Iterator[Hub]:
    """Serve an empty Hub that keeps its contents in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    hub = Hub(folder)
    server = _Server(("127.0.0.1", 0), type("BoundHandler", (Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield hub
    finally:
        for space in hub.spaces.values():
            space.stop()
        for job in hub.jobs.values():
            job.stop("CANCELED", "The Hub was closed")
        server.shutdown()
        server.server_close()


def client_environment(hub: Hub, home: Path, token: str = "") -> dict[str, str]:
    """The environment of a process that uses this Hub and a cache of its own.

    The client reads where the Hub is when it is first imported, so it must be a new process. Large files go by LFS,
    since the local Hub has no Xet storage.
    """
    return os.environ | {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(home),
        "HF_TOKEN": token,
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
