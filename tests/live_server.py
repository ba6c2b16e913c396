"""Starts ``ownvoice serve`` as a real process, for tests that talk to it over the network."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

CLIPS = sorted((Path(__file__).parents[1] / "src/ownvoice/model/tiny/sample_voice/clips").glob("*.ogg"))


@dataclass
class Server:
    """A running ``ownvoice serve``."""

    url: str
    """Without "/v1"."""
    process: subprocess.Popen[str]
    said: list[str]
    """Lines it wrote to stderr since it listens; it grows."""

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def memory(self) -> int:
        """Resident bytes."""
        return int(psutil.Process(self.process.pid).memory_info().rss)


@contextlib.contextmanager
def serving(*models: object, key: str | None = None, options: tuple[str, ...] = ()) -> Iterator[Server]:
    """Start ``ownvoice serve`` on a free port; afterwards it has to end with success."""
    command = [sys.executable, "-m", "ownvoice", "serve", "--port", "0", *options]
    for model in models:
        command += ["--model", str(model)]
    environment = {name: value for name, value in os.environ.items() if name != "OWNVOICE_API_KEY"}
    environment |= {"OMP_NUM_THREADS": "1"} | ({"OWNVOICE_API_KEY": key} if key else {})
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    line = ""
    for line in process.stderr:
        if "listens at" in line:
            break
    found = re.search(r"(http://\S+)/v1", line)
    assert found, "the server did not start"
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True)
    reader.start()
    try:
        yield Server(found[1], process, said)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        reader.join(15)
        assert not reader.is_alive(), "somebody else still writes where the server wrote"
        process.stderr.close()
        assert "Traceback" not in "".join(said), "".join(said)
