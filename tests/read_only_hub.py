"""A Hub for tests that only hands out data sets: every folder ``root/OWNER/NAME`` is one, over real HTTP.

Knows what ``datasets`` asks for when it streams. A folder with a file ``.status`` answers everything with that status.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

REVISION = "0123456789abcdef0123456789abcdef01234567"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    root: Path
    tokens: set[str | None]

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        match = re.fullmatch(
            r"(?:/api)?/datasets/(?P<name>[^/]+/[^/]+)"
            r"(?:/(?P<verb>resolve|tree|revision)/[^/]+(?:/(?P<path>.*))?)?",
            url.path,
        )
        if match is None:
            return self.answer(404)
        self.tokens.add(self.headers.get("Authorization"))
        repo = self.root / match["name"]
        if not repo.is_dir():
            return self.answer(404, error="RepoNotFound")
        if (status := repo / ".status").is_file():
            code, _, error = status.read_text().partition(" ")
            return self.answer(int(code), error=error)
        path = repo / (match["path"] or "")
        if match["verb"] == "resolve":
            return self.send_file(path)
        if match["verb"] == "tree":
            return self.send_tree(repo, path, "true" in parse_qs(url.query).get("recursive", []))
        return self.answer(200, json.dumps({"id": match["name"], "sha": REVISION, "siblings": []}).encode())

    do_HEAD = do_GET

    def send_tree(self, repo: Path, folder: Path, recursive: bool) -> None:
        if not folder.is_dir():
            return self.answer(404, error="EntryNotFound")
        entries = [
            {
                "type": "file" if path.is_file() else "directory",
                "path": path.relative_to(repo).as_posix(),
                "size": path.stat().st_size,
                "oid": "0" * 40,
            }
            for path in sorted(folder.rglob("*") if recursive else folder.iterdir())
        ]
        self.answer(200, json.dumps(entries).encode())

    def send_file(self, path: Path) -> None:
        if not path.is_file():
            return self.answer(404, error="EntryNotFound")
        data = path.read_bytes()
        if data == b"forbidden":
            return self.answer(403)
        asked = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        etag = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": REVISION, "Accept-Ranges": "bytes"}
        if asked is None:
            return self.answer(200, data, **headers)
        start, end = int(asked[1]), min(int(asked[2] or len(data)), len(data) - 1)
        headers["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
        self.answer(206, data[start : end + 1], **headers)

    def answer(self, status: int, body: bytes = b"{}", *, error: str = "", **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, **({"X-Error-Code": error} if error else {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def read_only_hub(root: Path) -> Iterator[tuple[str, set[str | None]]]:
    """Serve ``root``; yields the address and the set of Authorization headers seen, which fills as it is asked."""
    tokens: set[str | None] = set()
    handler = type("Handler", (Handler,), {"root": root, "tokens": tokens})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", tokens
    finally:
        server.shutdown()
        server.server_close()
