"""What the Hub refuses ends in a plain message: a small HTTP server answers as the Hub does."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

ANSWERS = {
    "someone/gated": (403, "GatedRepo"),
    "someone/unknown": (401, "RepoNotFound"),
    "someone/broken": (400, ""),
}
"""Status and ``X-Error-Code`` by repository."""

PROGRAM = """
import sys
from ownvoice.errors import ModelError
from ownvoice.model.source import find_model
for name in sys.argv[1:]:
    try:
        find_model(name)
    except ModelError as error:
        print(str(error).replace(chr(10), " | "))
"""


class Hub(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        for repository, (status, code) in ANSWERS.items():
            if repository in self.path:
                self.send_response(status)
                self.send_header("X-Error-Code", code)
                self.end_headers()
                return
        self.send_response(404)
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def messages(hub: str, cache: object, *names: str) -> list[str]:
    """The client reads where the Hub is when it is imported, so it needs a process of its own."""
    environment = os.environ | {"HF_ENDPOINT": hub, "HF_HOME": str(cache), "HF_TOKEN": "", "HF_HUB_OFFLINE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *names], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_each_refusal_has_its_message(hub: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    gated, unknown, broken, impossible = messages(hub, tmp_path_factory.mktemp("hub"), *ANSWERS, "--/..")
    assert gated.startswith("someone/gated: the Hub gives this model only to people who accepted its terms")
    assert "https://huggingface.co/someone/gated" in gated
    assert unknown.startswith("someone/unknown: the Hub has no such model, or it is private")
    assert broken.startswith("someone/broken: the Hugging Face Hub answered with an error (400)")
    assert impossible.startswith("--/..: this is neither a folder here nor a possible Hub id")


def test_no_connection_and_nothing_kept(tmp_path_factory: pytest.TempPathFactory) -> None:
    (message,) = messages("http://127.0.0.1:9", tmp_path_factory.mktemp("hub"), "someone/model")
    assert "not on this computer yet, and the Hugging Face Hub cannot be reached" in message
    assert '"tiny"' in message
