"""Brings a repository to hold exactly some files: in one commit, with only what is not there already, and looked over.

Which files those are is decided by others; whether a repository is there and who may see it is ``hub.py``'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, RepoCard
from huggingface_hub.hf_api import RepoFile as RemoteFile

from ownvoice.errors import HubError
from ownvoice.publishing.files import RepoFile
from ownvoice.publishing.hub import Hub
from ownvoice.publishing.refusals import GOES_ON
from ownvoice.publishing.repository import Pushed, RepoKind, repo_url
from ownvoice.quantities import counted

BytesProgress = Callable[[int, int], None]
"""Takes bytes sent and bytes to send."""

BATCH_BYTES = 32_000_000
BATCH_FILES = 64
"""Large files are sent in batches of about this much, so that progress is seen and a cut loses little."""


def push(
    hub: Hub,
    kind: RepoKind,
    repo: str,
    files: Sequence[RepoFile],
    message: str,
    *,
    ours: Callable[[str], bool],
    progress: BytesProgress = lambda done, total: None,
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

    def commit(api: HfApi) -> Pushed:
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

    pushed = hub.call(commit, where=repo)
    there = hub.call(lambda api: _remote_files(api, kind, repo, pushed.commit), where=repo)
    if different := [file.path for file in files if not _is_there(file, there)]:
        raise HubError(
            f"holds something else than was sent, in {counted(len(different), 'file')}, for example {different[0]}",
            where=repo,
            mend=GOES_ON,
        )
    return pushed


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
