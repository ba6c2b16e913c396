"""The one place that talks to the Hub for publishing: who this is, repositories, commits, visibility.

It sends what it is handed and knows nothing of voices and models. Every request is tried again where that may help, and
every refusal ends in a :class:`~ownvoice.errors.HubError`. A repository is made private and becomes public only when
everything is in it and has been checked.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, RepoCard
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile as RemoteFile
from huggingface_hub.utils import disable_progress_bars, httpx, logging, validate_repo_id  # type: ignore[attr-defined]

from ownvoice.credentials import Secret
from ownvoice.errors import HubError, UsageError
from ownvoice.publishing.files import RepoFile
from ownvoice.publishing.identity import Identity
from ownvoice.publishing.refusals import GOES_ON, TOKENS_PAGE, asked_to_wait, hub_refusals, in_short, is_transient

RepoKind = Literal["model", "dataset", "space"]
Say = Callable[[str], None]
"""Takes a sentence for the person."""
BytesProgress = Callable[[int, int], None]
"""Takes bytes sent and bytes to send."""

TRIES = 5
LONGEST_WAIT = 300.0
"""Seconds. A Hub that asks to wait longer is not waited for: the person is told."""
BATCH_BYTES = 32_000_000
BATCH_FILES = 64
"""Large files are sent in batches of about this much, so that progress is seen and a cut loses little."""

_T = TypeVar("_T")


@dataclass(frozen=True)
class RepoState:
    """A repository as it is on the Hub."""

    public: bool
    head: str
    """Its latest commit."""


@dataclass(frozen=True)
class Pushed:
    """What a push did."""

    url: str
    commit: str
    sent: tuple[str, ...]
    """Files that were new or had changed."""
    removed: tuple[str, ...]
    """Files that are no longer there; earlier commits still hold them."""


@dataclass
class Hub:
    """The Hub, as one person sees it."""

    token: Secret
    say: Say
    """Told of every wait."""
    pause: Callable[[float], None] = time.sleep
    _api: HfApi = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._api = HfApi(token=self.token.reveal().strip())
        # The client's warnings show addresses of storage that anyone who has them can write to for a while.
        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        if not sys.stderr.isatty():  # its bars are for people
            disable_progress_bars()

    def call(self, request: Callable[[HfApi], _T], *, where: str) -> _T:
        """Run ``request``, again after a pause where the Hub is busy or the connection breaks.

        Parameters
        ----------
        request
            Must be safe to run twice.
        where
            What it is about, for the message.

        Raises
        ------
        HubError
            saying what to do.
        """
        with hub_refusals(where):
            for attempt in range(1, TRIES):
                try:
                    return request(self._api)
                except (HfHubHTTPError, httpx.TransportError, RuntimeError, ValueError, AttributeError) as error:
                    seconds = asked_to_wait(error) or 2.0 ** (attempt - 1)
                    if not is_transient(error) or seconds > LONGEST_WAIT:
                        raise
                    self.say(f"{in_short(error)}. Trying again in {seconds:.0f} s.")
                self.pause(seconds)
            return request(self._api)

    def identity(self) -> Identity:
        """Ask the Hub who this is.

        Raises
        ------
        HubError
            when the token is not accepted or the Hub cannot be reached.
        """
        return Identity.of(self.call(lambda api: api.whoami(), where="Hugging Face account"))

    def writable_name(self, identity: Identity, repo: str) -> str:
        """The full name of ``repo``, which may lack its owner; checked against what the token may do.

        Raises
        ------
        UsageError
            when it is no possible name.
        HubError
            when this token may not write there.
        """
        name = repo if "/" in repo else f"{identity.name}/{repo}"
        with hub_refusals(repo):
            validate_repo_id(name)
        if name.count("/") != 1:
            raise UsageError("is no name of a repository", where=repo, mend="Write OWNER/NAME, or NAME for your own.")
        if not identity.may_write(name):
            raise HubError(
                f"this access token may not write there. {identity.sentence}",
                where=name,
                mend=f"Choose another name, or make a token with the role 'write' at {TOKENS_PAGE}",
            )
        return name

    def state(self, kind: RepoKind, repo: str) -> RepoState | None:
        """A repository as it is now, or None where there is none that this person may see."""

        def ask(api: HfApi) -> RepoState | None:
            try:
                info = api.repo_info(repo, repo_type=kind)
            except RepositoryNotFoundError:
                return None
            return RepoState(public=not info.private, head=str(info.sha))

        return self.call(ask, where=repo)

    def ensure_repo(self, kind: RepoKind, repo: str, *, public: bool, machine: str | None = None) -> RepoState:
        """Make the repository, private, unless it is there.

        Parameters
        ----------
        machine
            Of a Space, which is made for it: on a paid one it needs no subscription.

        Raises
        ------
        HubError
            when it is there and everybody can read it though ``public`` is false, or it cannot be made.
        """
        state = self.state(kind, repo)
        if state is None:
            self.call(
                lambda api: api.create_repo(
                    repo,
                    repo_type=kind,
                    private=True,
                    exist_ok=True,
                    space_sdk="gradio" if kind == "space" else None,
                    space_hardware=machine,  # type: ignore[arg-type]  # newer machines are not in its list
                ),
                where=repo,
            )
            state = self.state(kind, repo)
        if state is None:
            raise HubError("was made, and yet the Hub does not show it", where=repo, mend=GOES_ON)
        refuse_unwanted_public(repo, state, public=public)
        return state

    def push(
        self,
        kind: RepoKind,
        repo: str,
        files: Sequence[RepoFile],
        message: str,
        *,
        ours: Callable[[str], bool],
        progress: BytesProgress,
    ) -> Pushed:
        """Bring a repository to hold ``files``, in one commit, sending only what is not there already.

        Cut off at any moment, the repository is as it was before; run again, it goes on.

        Parameters
        ----------
        ours
            Tells by its path whether a file of the repository is one of ours: one that is not in ``files`` is removed.

        Raises
        ------
        HubError
            when the Hub refuses, or holds something else than was sent.
        """
        pushed = self.call(lambda api: self._commit(api, kind, repo, files, message, ours, progress), where=repo)
        there = self.call(lambda api: _remote_files(api, kind, repo, pushed.commit), where=repo)
        if different := [file.path for file in files if not _is_there(file, there)]:
            raise HubError(
                f"holds something else than was sent, in {len(different)} files, for example {different[0]}",
                where=repo,
                mend=GOES_ON,
            )
        return pushed

    def _commit(
        self,
        api: HfApi,
        kind: RepoKind,
        repo: str,
        files: Sequence[RepoFile],
        message: str,
        ours: Callable[[str], bool],
        progress: BytesProgress,
    ) -> Pushed:
        head = str(api.repo_info(repo, repo_type=kind).sha)
        there = _remote_files(api, kind, repo, head)
        changed = [file for file in files if not _is_there(file, there)]
        gone = sorted(there.keys() - {file.path for file in files})
        removed = tuple(path for path in gone if ours(path))
        url = repo_url(api.endpoint, kind, repo)
        if not changed and not removed:
            return Pushed(url, head, (), ())
        _check_card(kind, repo, changed)
        additions = [CommitOperationAdd(file.path, _for_client(file)) for file in changed]
        _upload(api, kind, repo, additions, progress)
        made = api.create_commit(
            repo,
            repo_type=kind,
            operations=[*additions, *(CommitOperationDelete(path) for path in removed)],
            commit_message=message,
            parent_commit=head,
        )
        return Pushed(url, str(made.oid), tuple(file.path for file in changed), removed)

    def make_public(self, kind: RepoKind, repo: str) -> None:
        """Let everybody read the repository, its history included."""
        self.call(lambda api: api.update_repo_settings(repo, repo_type=kind, private=False), where=repo)

    def forget_history(self, kind: RepoKind, repo: str) -> str:
        """Leave only the latest state of a repository, and return its commit: what was taken out is really gone."""

        def forget(api: HfApi) -> None:
            if len(api.list_repo_commits(repo, repo_type=kind)) > 1:
                api.super_squash_history(repo, repo_type=kind, commit_message="Publish with ownvoice")

        self.call(forget, where=repo)
        return self.call(lambda api: str(api.repo_info(repo, repo_type=kind).sha), where=repo)

    def delete(self, kind: RepoKind, repo: str) -> None:
        """Delete the repository with all its history.

        Raises
        ------
        HubError
            when there is none, or the Hub refuses.
        """
        if self.state(kind, repo) is None:
            raise HubError("the Hub has no such thing, or this account may not see it", where=repo)
        self.call(lambda api: api.delete_repo(repo, repo_type=kind, missing_ok=True), where=repo)


def refuse_unwanted_public(repo: str, state: RepoState | None, *, public: bool) -> None:
    """Raise :class:`HubError` when everybody can read ``repo`` though that is not wanted."""
    if state is not None and state.public and not public:
        raise HubError(
            "is public already, so everybody could read what you publish there",
            where=repo,
            mend="Choose another name, make it private on its settings page, or say --public.",
        )


def repo_url(endpoint: str, kind: RepoKind, repo: str) -> str:
    """Address of a repository's page."""
    return f"{endpoint}/{repo}" if kind == "model" else f"{endpoint}/{kind}s/{repo}"


def _check_card(kind: RepoKind, repo: str, files: Iterable[RepoFile]) -> None:
    """Let the Hub look at the card before anything large is sent: it would refuse a bad one only at the end."""
    for file in files:
        if file.path == "README.md" and isinstance(file.content, bytes):
            try:
                RepoCard(file.content.decode()).validate(repo_type=kind)
            except ValueError as error:
                raise HubError(
                    f"the Hub does not accept the card ({error})", where=repo, mend="Check --licence and --author."
                ) from None


def _for_client(file: RepoFile) -> bytes | str:
    return file.content if isinstance(file.content, bytes) else str(file.content)


def _remote_files(api: HfApi, kind: RepoKind, repo: str, revision: str) -> dict[str, RemoteFile]:
    entries = api.list_repo_tree(repo, repo_type=kind, revision=revision, recursive=True)
    return {entry.path: entry for entry in entries if isinstance(entry, RemoteFile)}


def _is_there(file: RepoFile, there: Mapping[str, RemoteFile]) -> bool:
    remote = there.get(file.path)
    if remote is None or remote.size != file.size:
        return False
    return file.has_hash(remote.lfs.sha256 if remote.lfs else None, remote.blob_id)


def _upload(
    api: HfApi, kind: RepoKind, repo: str, additions: Sequence[CommitOperationAdd], progress: BytesProgress
) -> None:
    """Send the large files ahead of the commit, which then only names them."""
    total, sent = sum(addition.upload_info.size for addition in additions), 0
    progress(0, total)
    for batch in _batches(additions):
        api.preupload_lfs_files(repo, additions=batch, repo_type=kind, free_memory=False)
        sent += sum(addition.upload_info.size for addition in batch)
        progress(sent, total)


def _batches(additions: Iterable[CommitOperationAdd]) -> Iterable[list[CommitOperationAdd]]:
    batch: list[CommitOperationAdd] = []
    for addition in additions:
        batch.append(addition)
        if len(batch) == BATCH_FILES or sum(one.upload_info.size for one in batch) >= BATCH_BYTES:
            yield batch
            batch = []
    if batch:
        yield batch
