"""What every reader hands over: the clips found in a source, and what was left out of it with the reason.

Also the two rules all readers share: how text is decoded and which files count as sound. Reads no format itself.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ownvoice.config import VoiceSettings
from ownvoice.data.audio import AUDIO_SUFFIXES
from ownvoice.data.utterance import Utterance
from ownvoice.errors import SourceError

Content = Path | Callable[[], bytes]
"""Where a file's bytes are: on disk, or behind a call (in an archive, on the Hub) that may raise SourceError."""


@dataclass(frozen=True)
class LeftOut:
    """Something in a source that did not become an utterance."""

    name: str
    """As the source calls it: a file, or the file a table's line names."""
    line: int | None
    """Its line in the table, from 1; None for a file of its own."""
    reason: str
    already_there: bool = False
    """Whether nothing is lost by it: the voice has this very sound with these very words."""

    def __str__(self) -> str:
        place = self.name if self.line is None else f"{self.name} (line {self.line})"
        return printable(f"{place}: {self.reason}")


@dataclass(frozen=True)
class Clip:
    """One recording and its words, found and not yet decoded."""

    name: str
    text: str
    audio: Content
    line: int | None = None
    language: str | None = None
    """ISO 639-1 code, where the source gives one for each clip."""
    recorded: Utterance | None = None
    """What another voice folder knew of it."""


@dataclass(frozen=True)
class Source:
    """A source opened for reading."""

    found: Iterable[Clip | LeftOut]
    """In the order of the source; read once."""
    total: int | None
    """How many ``found`` holds; None where that is known only at the end."""
    read_as: list[str]
    """What each table was taken for and which columns were used, in words."""
    warnings: list[str] = field(default_factory=list)
    settings: VoiceSettings | None = None
    """Those of a voice folder; None for every other source."""


def printable(text: str) -> str:
    """``text`` without what a terminal would obey or a file could not hold: such characters become question marks."""
    return "".join(character if character.isprintable() else "?" for character in text)


def is_audio(name: str) -> bool:
    """Whether a file name ends like one of a sound file."""
    return posixpath.splitext(name)[1].lower() in AUDIO_SUFFIXES


def read_content(content: Content, name: str) -> bytes:
    """The bytes behind ``content``.

    Raises
    ------
    SourceError
        when they cannot be read.
    """
    if callable(content):
        return content()
    try:
        return content.read_bytes()
    except OSError as error:
        raise SourceError(f"cannot be opened ({error.strerror})", where=name) from None


def decode_text(data: bytes, where: str | Path) -> str:
    """Decode UTF-8, with or without a byte order mark.

    Raises
    ------
    SourceError
        for any other encoding: a wrong guess would spoil every accent without a word.
    """
    mend = "Save it again as UTF-8 (spreadsheets call it CSV UTF-8)."
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data:
        raise SourceError("is not UTF-8 text: it looks like UTF-16, or is no text at all", where=where, mend=mend)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise SourceError(f"is not UTF-8 text (line {line})", where=where, mend=mend) from None
