"""What the local Hub knows: accounts, repositories, jobs, the requests it has seen and the faults it shall show."""

from __future__ import annotations

import hashlib
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fakes.hub.wire import Fault, Refused, Request, Seen

if TYPE_CHECKING:
    from fakes.hub.jobs import Job
    from fakes.hub.repos import Repo
    from fakes.hub.spaces import RunningSpace

Role = Literal["read", "write", "fineGrained"]


@dataclass(frozen=True)
class Token:
    """A token of one person."""

    value: str
    user: str
    role: Role = "write"
    writes: tuple[str, ...] = ()
    """Of a fine-grained token: the names (people, organisations, repositories) it may write to."""
    orgs: tuple[str, ...] = ()

    def may_write(self, repo: str) -> bool:
        namespace = repo.partition("/")[0]
        if namespace not in (self.user, *self.orgs) or self.role == "read":
            return False
        return self.role == "write" or namespace in self.writes or repo in self.writes


@dataclass
class Hub:
    """One Hub. Change its attributes at will between requests; hold ``lock`` where a client is running."""

    folder: Path
    """Contents of files lie here, under their sha256."""
    url: str = ""
    tokens: dict[str, Token] = field(default_factory=dict)
    repos: dict[tuple[str, str], Repo] = field(default_factory=dict)
    """By kind (model, dataset, space) and id."""
    jobs: dict[str, Job] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    unverified: set[str] = field(default_factory=set)
    """Contents that came in and were not yet looked at: for a commit they are not there."""
    multipart_from: int = 5_000_000
    """Files of this size on are uploaded in parts."""
    part_size: int = 2_000_000
    gradio_costs: bool = False
    """Whether a Gradio Space asks for a subscription (402), as the Hub's cpu-basic does for some accounts."""
    space_stages: tuple[str, ...] = ("BUILDING", "APP_STARTING", "RUNNING")
    """What a new Space's runtime answers, one after the other; the last stays."""
    build_log: tuple[str, ...] = ("Building...", "Done.")
    space_python: str = ""
    """Python of an environment that has what a Space asks for; a Space is then built as a process of this machine."""
    spaces: dict[str, RunningSpace] = field(default_factory=dict)
    job_path: str = ""
    """Folders put before PATH for the commands of jobs."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def add_token(self, token: Token) -> Token:
        self.tokens[token.value] = token
        return token

    def known(self, value: str | None) -> Token | None:
        """The token of a request; none where it has none."""
        if value is None:
            return None
        if value not in self.tokens:
            raise Refused(401, "Invalid credentials in Authorization header")
        return self.tokens[value]

    def fail(self, method: str, path: str, action: int | str, **when: object) -> Fault:
        """Let the next request that fits fail; see :class:`~fakes.hub.wire.Fault`."""
        fault = Fault(method, path, action, **when)  # type: ignore[arg-type]
        self.faults.append(fault)
        return fault

    def received(self, path: str = "", method: str = "") -> int:
        """Bytes of all bodies of requests whose path fits the regular expression."""
        return sum(seen.bytes for seen in self.requests(path, method))

    def requests(self, path: str = "", method: str = "") -> list[Seen]:
        return [seen for seen in self.seen if method in ("", seen.method) and re.search(path, seen.path)]

    def store(self, content: bytes) -> str:
        """Keep a content and return its sha256."""
        name = hashlib.sha256(content).hexdigest()
        (self.folder / name).write_bytes(content)
        return name

    def has(self, sha256: str) -> bool:
        return (self.folder / sha256).is_file() and sha256 not in self.unverified

    def content(self, sha256: str) -> bytes:
        return (self.folder / sha256).read_bytes()

    def repo(self, kind: str, name: str) -> Repo:
        """A repository, for the test itself: no token is asked for."""
        return self.repos[kind, name]

    def readable(self, request: Request, kind: str, name: str) -> Repo:
        """A repository this request may read the page of."""
        repo = self.repos.get((kind, name))
        if repo is None or (repo.private and not _belongs(request.token, name)):
            raise Refused(404 if request.token else 401, "Repository not found", "RepoNotFound")
        return repo

    def writable(self, request: Request, kind: str, name: str) -> Repo:
        repo = self.readable(request, kind, name)
        self.require_writer(request, name)
        return repo

    @staticmethod
    def require_writer(request: Request, name: str) -> Token:
        if request.token is None:
            raise Refused(401, "Invalid username or password.")
        if not request.token.may_write(name):
            raise Refused(403, "You don't have the rights to write under this namespace with this token")
        return request.token


def _belongs(token: Token | None, name: str) -> bool:
    return token is not None and name.partition("/")[0] in (token.user, *token.orgs)
