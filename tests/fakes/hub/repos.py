"""Repositories of the three kinds: made, committed to, listed, read, deleted. Contents lie in the Hub's folder."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from fakes.hub.state import Hub
from fakes.hub.wire import KIND, REPO, Answer, Refused, Request, route

GIT_ATTRIBUTES = b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n*.wav filter=lfs diff=lfs merge=lfs -text\n"
LFS_SUFFIXES = (".safetensors", ".wav", ".flac", ".ogg", ".mp3", ".parquet", ".bin")
LFS_FROM = 10_000_000
"""Larger files go to large file storage whatever their name; both as on the Hub."""

REVISION = r"(?P<revision>[^/]+)"
ADDRESS = r"(?:/(?P<prefix>datasets|spaces))?/" + REPO


@dataclass(frozen=True)
class File:
    """One file of a commit."""

    sha256: str
    size: int
    oid: str
    """What git calls the content."""
    lfs: bool

    @property
    def etag(self) -> str:
        return self.sha256 if self.lfs else self.oid

    def entry(self, path: str) -> dict[str, object]:
        entry: dict[str, object] = {"type": "file", "path": path, "size": self.size, "oid": self.oid}
        if self.lfs:
            entry["lfs"] = {"oid": self.sha256, "size": self.size, "pointerSize": 135}
        return entry


@dataclass(frozen=True)
class Commit:
    oid: str
    title: str
    files: Mapping[str, File]


@dataclass
class Repo:
    kind: str
    name: str
    private: bool
    sdk: str | None = None
    gated: bool = False
    """Whether only those in ``allowed`` may read its files."""
    allowed: set[str] = field(default_factory=set)
    commits: list[Commit] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    hardware: str = "cpu-basic"
    stages_shown: int = 0

    @property
    def files(self) -> Mapping[str, File]:
        return self.commits[-1].files

    def add(self, title: str, files: Mapping[str, File]) -> Commit:
        before = self.commits[-1].oid if self.commits else ""
        tree = sorted((path, file.sha256) for path, file in files.items())
        oid = hashlib.sha1(f"{before}{title}{tree}".encode(), usedforsecurity=False).hexdigest()
        self.commits.append(Commit(oid, title, files))
        return self.commits[-1]

    def at(self, revision: str) -> Commit:
        if revision in ("main", "refs/heads/main"):
            return self.commits[-1]
        for commit in self.commits:
            if len(revision) >= 7 and commit.oid.startswith(revision):
                return commit
        raise Refused(404, "Invalid rev id", "RevisionNotFound")


def add_repo(hub: Hub, kind: str, name: str, files: Mapping[str, bytes], *, private: bool = False) -> Repo:
    """Put a repository there as if somebody had pushed ``files``."""
    repo = hub.repos[kind, name] = Repo(kind, name, private)
    repo.add("initial commit", {path: _stored(hub, path, content) for path, content in files.items()})
    return repo


def _stored(hub: Hub, path: str, content: bytes) -> File:
    return large_file(hub, hub.store(content)) if path.endswith(LFS_SUFFIXES) else text_file(hub, content)


def large_file(hub: Hub, sha256: str) -> File:
    size = len(hub.content(sha256))
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()
    return File(sha256, size, _git_oid(pointer), lfs=True)


def text_file(hub: Hub, content: bytes) -> File:
    return File(hub.store(content), len(content), _git_oid(content), lfs=False)


def _git_oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def kind_of(prefix: str | None) -> str:
    return {"datasets": "dataset", "spaces": "space"}.get(prefix or "", "model")


@route("POST", r"/api/repos/create")
def create(hub: Hub, request: Request) -> Answer:
    asked = request.json()
    kind = asked.get("type") or "model"
    if request.token is None:
        raise Refused(401, "Invalid username or password.")
    name = f"{asked.get('organization') or request.token.user}/{asked['name']}"
    hub.require_writer(request, name)
    url = f"{hub.url}/{'' if kind == 'model' else kind + 's/'}{name}"
    if (kind, name) in hub.repos:
        return Answer({"error": "You already created this repo", "url": url}, 409)
    machine = asked.get("hardware", "cpu-basic")
    if kind == "space" and asked.get("sdk") != "static" and hub.gradio_costs:
        raise Refused(402, "Gradio Spaces need a subscription")
    repo = Repo(kind, name, private=asked.get("visibility") != "public", sdk=asked.get("sdk"), hardware=machine)
    repo.add("initial commit", {".gitattributes": text_file(hub, GIT_ATTRIBUTES)})
    hub.repos[kind, name] = repo
    return Answer({"url": url, "id": f"id-of-{name}", "name": name})


@route("DELETE", r"/api/repos/delete")
def delete(hub: Hub, request: Request) -> Answer:
    asked = request.json()
    if request.token is None:
        raise Refused(401, "Invalid username or password.")
    name = f"{asked.get('organization') or request.token.user}/{asked['name']}"
    hub.writable(request, asked.get("type") or "model", name)
    del hub.repos[asked.get("type") or "model", name]
    return Answer({})


@route("PUT", rf"/api/{KIND}/{REPO}/settings")
def settings(hub: Hub, request: Request, kind: str, repo: str) -> Answer:
    found, asked = hub.writable(request, kind, repo), request.json()
    if "visibility" in asked or "private" in asked:
        found.private = asked.get("visibility", "private" if asked.get("private") else "public") != "public"
    if "gated" in asked:
        found.gated = bool(asked["gated"])
    return Answer({"private": found.private})


@route("POST", rf"/api/{KIND}/{REPO}/preupload/{REVISION}")
def preupload(hub: Hub, request: Request, kind: str, repo: str, revision: str) -> Answer:
    commit = hub.writable(request, kind, repo).at(revision)
    files = []
    for file in request.json()["files"]:
        is_binary = b"\0" in base64.b64decode(file["sample"])
        large = is_binary or file["path"].endswith(LFS_SUFFIXES) or file["size"] > LFS_FROM
        known = commit.files.get(file["path"])
        files.append(
            {
                "path": file["path"],
                "uploadMode": "lfs" if large else "regular",
                "shouldIgnore": False,
                "oid": known.etag if known else None,
            }
        )
    return Answer({"files": files})


@route("POST", rf"/api/{KIND}/{REPO}/commit/{REVISION}")
def commit(hub: Hub, request: Request, kind: str, repo: str, revision: str) -> Answer:
    found = hub.writable(request, kind, repo)
    lines = [json.loads(line) for line in request.body.splitlines() if line.strip()]
    header = next(line["value"] for line in lines if line["key"] == "header")
    parent = header.get("parentCommit")
    if parent is not None and found.at("main").oid != parent:
        raise Refused(412, "A commit has happened since. Please refresh and try again.")
    files = dict(found.at(revision).files)
    for line in lines:
        _apply(hub, files, line["key"], line["value"])
    made = found.add(header["summary"], files)
    found.stages_shown = 0  # a Space builds anew
    return Answer({"commitUrl": f"{hub.url}/{repo}/commit/{made.oid}", "commitOid": made.oid, "success": True})


@route("POST", rf"/api/{KIND}/{REPO}/super-squash/main")
def squash(hub: Hub, request: Request, kind: str, repo: str) -> Answer:
    found = hub.writable(request, kind, repo)
    files = found.files
    found.commits.clear()
    found.add(request.json().get("message") or "Super-squash branch main", files)
    return Answer({})


def _apply(hub: Hub, files: dict[str, File], key: str, value: dict[str, Any]) -> None:
    path = value.get("path", "")
    if key == "file":
        files[path] = text_file(hub, base64.b64decode(value["content"]))
    elif key == "lfsFile":
        if not hub.has(value["oid"]):
            raise Refused(400, f"LFS pointer pointed to a file that does not exist: {path}")
        files[path] = large_file(hub, value["oid"])
    elif key == "deletedFile":
        if path not in files:
            raise Refused(404, "A file with this name doesn't exist", "EntryNotFound")
        del files[path]
    elif key == "deletedFolder":
        for name in [name for name in files if name.startswith(path.rstrip("/") + "/")]:
            del files[name]


@route("GET", rf"/api/{KIND}/{REPO}(?:/revision/{REVISION})?")
def info(hub: Hub, request: Request, kind: str, repo: str, revision: str | None) -> Answer:
    found = hub.readable(request, kind, repo)
    state = found.at(revision or "main")
    siblings = [
        {"rfilename": path, "size": file.size, "blobId": file.oid}
        | ({"lfs": {"sha256": file.sha256, "size": file.size, "pointerSize": 135}} if file.lfs else {})
        for path, file in sorted(state.files.items())
    ]
    answer: dict[str, object] = {"_id": f"id-of-{repo}", "id": repo, "sha": state.oid}
    answer |= {"author": repo.partition("/")[0]}
    answer |= {"private": found.private, "gated": "auto" if found.gated else False, "disabled": False}
    answer |= {"siblings": siblings, "tags": [], "downloads": 0, "likes": 0}
    running = hub.spaces.get(repo)
    return Answer(answer | ({"sdk": found.sdk, "host": running.url if running else ""} if kind == "space" else {}))


@route("GET", rf"/api/{KIND}/{REPO}/refs")
def refs(hub: Hub, request: Request, kind: str, repo: str) -> Answer:
    head = hub.readable(request, kind, repo).at("main").oid
    branch = {"name": "main", "ref": "refs/heads/main", "targetCommit": head}
    return Answer({"branches": [branch], "tags": [], "converts": []})


@route("GET", rf"/api/{KIND}/{REPO}/commits/{REVISION}")
def commits(hub: Hub, request: Request, kind: str, repo: str, revision: str) -> Answer:
    found = hub.readable(request, kind, repo)
    found.at(revision)
    when = "2026-01-01T00:00:00.000Z"
    return Answer(
        [
            {"id": commit.oid, "title": commit.title, "message": "", "authors": [], "date": when}
            for commit in reversed(found.commits)
        ]
    )


@route("GET", rf"/api/{KIND}/{REPO}/tree/{REVISION}(?:/(?P<path>.*))?")
def tree(hub: Hub, request: Request, kind: str, repo: str, revision: str, path: str | None) -> Answer:
    found = hub.readable(request, kind, repo)
    files = found.at(revision).files
    inside = f"{path.rstrip('/')}/" if path else ""
    below = {name: file for name, file in files.items() if name.startswith(inside)}
    if path and not below:
        raise Refused(404, "Entry not found", "EntryNotFound")
    folders = {str(parent) for name in below for parent in PurePosixPath(name).parents if str(parent) != "."}
    entries = [{"type": "directory", "path": name, "size": 0, "oid": "0" * 40} for name in sorted(folders)]
    entries = [entry for entry in entries if str(entry["path"]).startswith(inside)]
    entries += [file.entry(name) for name, file in sorted(below.items())]
    if request.query.get("recursive", ["false"])[0].lower() not in ("true", "1"):
        entries = [entry for entry in entries if "/" not in str(entry["path"])[len(inside) :]]
    return Answer(entries)


@route("POST", rf"/api/{KIND}/{REPO}/paths-info/{REVISION}")
def paths_info(hub: Hub, request: Request, kind: str, repo: str, revision: str) -> Answer:
    files = hub.readable(request, kind, repo).at(revision).files
    entries = []
    for path in request.form().get("paths", []):
        if path in files:
            entries.append(files[path].entry(path))
        elif any(name.startswith(f"{path.rstrip('/')}/") for name in files):
            entries.append({"type": "directory", "path": path, "size": 0, "oid": "0" * 40})
    return Answer(entries)


@route("GET", rf"{ADDRESS}/resolve/{REVISION}/(?P<path>.+)")
def resolve(hub: Hub, request: Request, prefix: str | None, repo: str, revision: str, path: str) -> Answer:
    found = hub.readable(request, kind_of(prefix), repo)
    if found.gated and (request.token is None or request.token.user not in found.allowed):
        raise Refused(403 if request.token else 401, "Access to this repository is restricted", "GatedRepo")
    state = found.at(revision)
    if path not in state.files:
        raise Refused(404, "Entry not found", "EntryNotFound")
    file = state.files[path]
    headers = {"ETag": f'"{file.etag}"', "X-Repo-Commit": state.oid, "Accept-Ranges": "bytes"}
    headers |= {"Content-Type": "application/octet-stream"}
    if file.lfs:
        headers |= {"X-Linked-Size": str(file.size), "X-Linked-Etag": f'"{file.sha256}"'}
    return ranged(request, hub.content(file.sha256), headers)


def ranged(request: Request, content: bytes, headers: dict[str, str]) -> Answer:
    """All of a content, or the bytes asked for."""
    unit, _, wanted = request.headers.get("range", "").partition("=")
    if unit != "bytes":
        return Answer(content, headers=headers)
    first, _, last = wanted.partition("-")
    start, end = int(first), min(int(last or len(content)), len(content) - 1)
    headers["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
    return Answer(content[start : end + 1], 206, headers)
