"""A zip of recordings, read without unpacking it: each member is read on its own when its turn comes.

Nothing is ever written under a name from the archive. Names that lead out of it, links, passwords and sizes beyond the
limits below are refused before anything is read, and a member never yields more than the size it states.
"""

from __future__ import annotations

import posixpath
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ownvoice.data.importers.folders import Tree, is_system_file
from ownvoice.data.importers.source import Content
from ownvoice.errors import SourceError

MAX_FILES = 50_000
"""Members of one archive: four times LJSpeech, a day's reading of one person."""

MAX_FILE_BYTES = 256 << 20
"""Size of one member: two hours at 16 kHz, the longest recording there may be, are 230 MB."""

MAX_TOTAL_BYTES = 32 << 30
"""Size of all members together: a hundred hours at 48 kHz in 16 bits."""

_BLOCK = 1 << 20
"""Bytes decompressed at a time, so that a member that lies about its size cannot fill the memory."""

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The others are rare, and Python's decompressors for them have no bound on what one block becomes."""


@contextmanager
def open_archive(path: Path) -> Iterator[Tree]:
    """Open the zip at ``path`` as a tree of files whose contents are read on demand.

    Raises
    ------
    SourceError
        when it is no zip, is damaged, locked with a password, larger than the limits, or holds a member that is a
        link or whose name leads out of the archive.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise SourceError(f"cannot be read as a zip archive ({error})", where=path, mend="Pack it again.") from None
    with archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        _refuse_size(path, members)
        files: dict[str, Content] = {}
        for member in members:
            name = _safe_name(path, member)
            if is_system_file(name):
                continue
            if name in files:
                raise SourceError(f"holds two files called {name}", where=path, mend="Pack it again with one of them.")
            files[name] = partial(_read_member, archive, member, path)
        yield Tree(path.name, files)


def _refuse_size(path: Path, members: list[zipfile.ZipInfo]) -> None:
    mend = "Pack fewer or shorter recordings in one archive, or unpack it and give the folder."
    if len(members) > MAX_FILES:
        raise SourceError(f"holds {len(members)} files; at most {MAX_FILES} are read", where=path, mend=mend)
    for member in members:
        if member.file_size > MAX_FILE_BYTES:
            size = f"{member.file_size >> 20} MB unpacked; at most {MAX_FILE_BYTES >> 20} MB are read"
            raise SourceError(f"{member.filename!r} is {size}", where=path, mend=mend)
    if (total := sum(member.file_size for member in members)) > MAX_TOTAL_BYTES:
        size = f"{total >> 30} GB unpacked; at most {MAX_TOTAL_BYTES >> 30} GB are read"
        raise SourceError(f"is {size}", where=path, mend=mend)


def _safe_name(path: Path, member: zipfile.ZipInfo) -> str:
    """The member's path in the archive; archivers on Windows may separate names by a backslash."""
    name = member.filename.replace("\\", "/")
    if name.startswith("/") or name[1:2] == ":" or ".." in name.split("/"):
        raise SourceError(
            f"holds a file whose name leads out of the archive: {member.filename!r}",
            where=path,
            mend="Do not trust this archive; ask for one made of plain relative names.",
        )
    mode = member.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise SourceError(
            f"{member.filename!r} is a link or no ordinary file", where=path, mend="Pack the file itself instead."
        )
    if member.flag_bits & 1:
        raise SourceError("is locked with a password", where=path, mend="Unpack it and give the folder.")
    if member.compress_type not in _METHODS:
        raise SourceError(
            f"{member.filename!r} is packed in an uncommon way",
            where=path,
            mend="Pack it again as an ordinary zip (deflate), or unpack it and give the folder.",
        )
    return posixpath.normpath(name)


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> bytes:
    try:
        with archive.open(member) as file:
            return b"".join(iter(lambda: file.read(_BLOCK), b""))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise SourceError(f"is damaged in the archive ({error})", where=f"{path.name}: {member.filename}") from None
