"""Files on their way into a repository: which of them are there already, and a last look for what must not leave.

Opens no connection (``hub.py``) and does not choose which files belong together (``dataset.py``, ``model.py``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ownvoice.errors import HubError

_BLOCK = 1 << 20
_TEXT_SUFFIXES = (".md", ".json", ".jsonl", ".yaml", ".txt", ".py")
_TOKEN = re.compile(rb"\bhf_[A-Za-z0-9]{20,}")
"""What the Hub's tokens look like."""


@dataclass(frozen=True)
class RepoFile:
    """One file as it shall be in a repository."""

    path: str
    """Its place there, with ``/``."""
    content: Path | bytes
    """A file of this computer, or what shall be in it."""

    @cached_property
    def size(self) -> int:
        """Bytes."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size

    def has_hash(self, sha256: str | None, git_oid: str) -> bool:
        """Whether a file of the Hub has this content: large files go by their sha256, all others by git's name."""
        return self.sha256 == sha256 if sha256 else self._git_oid == git_oid

    @cached_property
    def sha256(self) -> str:
        """Of its content, in hexadecimal digits."""
        digest = hashlib.sha256()
        for block in self._blocks():
            digest.update(block)
        return digest.hexdigest()

    @cached_property
    def _git_oid(self) -> str:
        digest = hashlib.sha1(b"blob %d\0" % self.size, usedforsecurity=False)
        for block in self._blocks():
            digest.update(block)
        return digest.hexdigest()

    def _blocks(self) -> Iterator[bytes]:
        if isinstance(self.content, bytes):
            yield self.content
            return
        with self.content.open("rb") as file:
            while block := file.read(_BLOCK):
                yield block


def refuse_traces(files: Iterable[RepoFile], folders: Iterable[Path]) -> None:
    """A last look before files leave: no text among them may name a folder of this computer or hold a token.

    Parameters
    ----------
    folders
        Folders whose full names must not be read anywhere; the person's home folder is always among them.

    Raises
    ------
    HubError
        naming the file; nothing has been sent then.
    """
    names = {str(folder.resolve()) for folder in (*folders, Path.home())}
    traces = [name.encode() for name in names if len(Path(name).parts) > 2]  # not "/root", which is nobody's
    for file in files:
        if not file.path.endswith(_TEXT_SUFFIXES):
            continue
        content = b"".join(file._blocks())
        found = "the name of a folder of this computer" if any(trace in content for trace in traces) else None
        if _TOKEN.search(content):
            found = "what looks like an access token"
        if found:
            raise HubError(
                f"holds {found}, so nothing was sent",
                where=file.path,
                mend="Take it out of the transcripts or settings it comes from, and run the command again.",
            )
