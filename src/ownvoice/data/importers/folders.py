"""A folder of recordings, on disk or in an archive: which files are in it and which of them hold the words.

In this order: a voice folder's data.jsonl; metadata.csv or .jsonl (Hugging Face audiofolder, LJSpeech); Common Voice's
validated.tsv; a .txt beside each recording; the one table there is. How a table is parsed is told in ``tables.py``.
"""

from __future__ import annotations

import os
import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from ownvoice.config import VoiceSettings
from ownvoice.data.importers.columns import Wanted, choose_columns
from ownvoice.data.importers.scratch import scratch_folder
from ownvoice.data.importers.source import Clip, Content, LeftOut, Source, decode_text, is_audio, read_content
from ownvoice.data.importers.tables import (
    TABLE_SUFFIXES,
    Locate,
    by_small_letters,
    check_text,
    list_clips,
    parse_table,
    spellings,
)
from ownvoice.data.manifest import scan_manifest
from ownvoice.data.voice_settings import read_voice_settings
from ownvoice.errors import ConfigError, SourceError
from ownvoice.rundir import VoiceFolder

METADATA = ("metadata.csv", "metadata.jsonl")
_AS_TABLE = 'save it as "CSV UTF-8", with columns called file and text'
_AS_TEXT = "save its words as plain text, a .txt of the same name beside each recording"
UNREAD = {
    **dict.fromkeys((".xlsx", ".xls", ".ods", ".numbers"), _AS_TABLE),
    **dict.fromkeys((".docx", ".doc", ".odt", ".rtf", ".pdf", ".pages"), _AS_TEXT),
    **dict.fromkeys((".srt", ".vtt", ".eaf", ".textgrid", ".cha"), _AS_TEXT),
}
"""What to do with files that people keep words in, by their ending: spreadsheets, letters, subtitles, annotations."""

MANIFEST = VoiceFolder(Path()).manifest.name
WAVS = VoiceFolder(Path()).wavs.name


@dataclass(frozen=True)
class Tree:
    """The files below one folder. A table can only mean files that are in it, whatever path it writes."""

    label: str
    files: Mapping[str, Content]
    """By path from the folder, with ``/`` between names."""
    left_out: list[LeftOut] = field(default_factory=list)
    """What could not be looked into."""

    @cached_property
    def folders(self) -> set[str]:
        """Every folder that holds a file; the tree's own is the empty string."""
        folders = {posixpath.dirname(name) for name in self.files}
        return folders | {parent for folder in folders for parent in _parents(folder)}

    @cached_property
    def top(self) -> str:
        """The folder where tables are looked for: the first that does not merely hold one other folder."""
        return posixpath.commonpath([posixpath.dirname(name) for name in self.files]) if self.files else ""

    @cached_property
    def alike(self) -> Mapping[str, str]:
        """The files by their path in small letters, where that tells which is meant."""
        return by_small_letters(self.files)

    def read(self, name: str) -> bytes:
        return read_content(self.files[name], name)

    def locate_from(self, folder: str) -> Locate:
        """Find files named in a table that lies in ``folder``."""

        def locate(value: str) -> Content:
            for spelling in spellings(value):
                path = posixpath.normpath(posixpath.join(folder, spelling))
                if path in self.files:
                    return self.files[path]
                if (same := self.alike.get(path.casefold())) is not None:
                    return self.files[same]
            meant = posixpath.normpath(posixpath.join(folder, value.replace("\\", "/")))
            if meant.startswith(("/", "../")) or meant == ".." or meant[1:2] == ":":
                raise SourceError("leads out of the folder; only files in it are imported")
            raise SourceError("is a folder, not an audio file" if meant in self.folders else "there is no such file")

        return locate


def is_system_file(path: str) -> bool:
    """Whether macOS put this beside the person's own files: ``__MACOSX/`` and ``._name`` hold no recordings."""
    parts = path.split("/")
    return "__MACOSX" in parts or parts[-1].startswith("._")


def walk_folder(folder: Path, *, leaving_out: Path) -> Tree:
    """List the files below ``folder`` except those of the voice that is imported into, ``leaving_out``.

    A link that leads out of the folder is left out, so that a folder from elsewhere brings in no other file.
    """
    root, kept_out = folder.resolve(), leaving_out.resolve()
    files: dict[str, Content] = {}
    left_out: list[LeftOut] = []

    def unreadable(error: OSError) -> None:
        left_out.append(LeftOut(os.path.relpath(error.filename, root), None, f"cannot be opened ({error.strerror})"))

    for parent, folders, names in os.walk(root, onerror=unreadable):
        here = Path(parent)
        for path in sorted(here / name for name in folders):
            if path.is_symlink():
                reason = "is a link to a folder; give that folder itself"
                left_out.append(LeftOut(path.relative_to(root).as_posix(), None, reason))
        folders[:] = sorted(name for name in folders if here / name != kept_out)
        for path in sorted(here / name for name in names):
            name = path.relative_to(root).as_posix()
            if is_system_file(name):
                continue
            if path.is_symlink() and not path.resolve().is_relative_to(root):
                left_out.append(LeftOut(name, None, "is a link to a file outside the folder; copy that file here"))
            elif path.is_file():
                files[name] = path
    return Tree(folder.name or str(folder), files, left_out)


def read_tree(tree: Tree, wanted: Wanted) -> Source:
    """Tell what kind of folder it is and list its clips.

    Raises
    ------
    SourceError
        when nothing in it says which words belong to which recording, or it could be meant in several ways.
    """
    at_top = {posixpath.basename(name): name for name in tree.files if posixpath.dirname(name) == tree.top}
    folder_of = {name: posixpath.dirname(name) for name in tree.files}
    metadata = sorted(name for name in tree.files if posixpath.basename(name) in METADATA)
    if MANIFEST in at_top and posixpath.join(tree.top, WAVS) in tree.folders and wanted == Wanted():
        voice = _read_voice(tree, at_top[MANIFEST])
        if voice is not None:
            return voice
    if metadata:
        if len({folder_of[name] for name in metadata}) < len(metadata):
            raise _several_tables(tree, metadata)
        return _read_tables(tree, metadata, wanted)
    if "validated.tsv" in at_top:
        return _read_tables(tree, [at_top["validated.tsv"]], wanted)
    tables = sorted(path for name, path in at_top.items() if name.lower().endswith(TABLE_SUFFIXES))
    pairs = _pair_texts(tree)
    if any(isinstance(found, Clip) for found in pairs) or not tables:
        return _read_pairs(tree, pairs, tables)
    if len(tables) > 1:
        raise _several_tables(tree, tables)
    return _read_tables(tree, tables, wanted)


def _read_tables(tree: Tree, names: list[str], wanted: Wanted) -> Source:
    found: list[Clip | LeftOut] = []
    used: set[Content] = set()
    read_as, warnings = [], []
    for name in names:
        table = parse_table(name, tree.read(name), wanted)
        columns = choose_columns(table.columns, wanted, name)
        listing = list_clips(table, columns, tree.locate_from(posixpath.dirname(name)))
        found += listing.found
        used |= listing.used
        read_as.append(f"{name} as {table.form}: {columns}")
        warnings += listing.warnings
    found += [*_unlisted(tree, used, " or ".join(names)), *tree.left_out]
    return Source(found, len(found), read_as, warnings)


def _read_voice(tree: Tree, name: str) -> Source | None:
    """List a voice folder's utterances with all that is known of them, or None when no line of it is one."""
    settings = posixpath.join(tree.top, VoiceFolder(Path()).settings.name)
    with scratch_folder() as scratch:
        copy = VoiceFolder(scratch)  # the same rules on disk and in an archive, and the original is not touched
        copy.manifest.write_bytes(tree.read(name))
        if settings in tree.files:
            copy.settings.write_bytes(tree.read(settings))
        try:
            scan, known = scan_manifest(copy), read_voice_settings(copy)
        except ConfigError as error:
            raise ConfigError(error.what, where=settings, mend=error.mend) from None
    locate = tree.locate_from(posixpath.dirname(name))
    found: list[Clip | LeftOut] = []
    used: set[Content] = set()
    for line, utterance in scan.everything:
        try:
            audio = locate(utterance.audio_path)
            used.add(audio)
            text = check_text(utterance.text)
            found.append(Clip(utterance.audio_path, text, audio, line, utterance.language or known.language, utterance))
        except SourceError as error:
            found.append(LeftOut(utterance.audio_path, line, error.what))
    found += [LeftOut(name, fault.line, fault.message) for fault in scan.faults]
    unlisted = (clip for clip in _unlisted(tree, used, name) if not _is_kept_apart(clip.name, tree.top))
    found += [*unlisted, *tree.left_out]
    if not scan.everything:
        return None
    return Source(found, len(found), [f"{name} as a voice folder"], _stays_behind(tree, known), known)


def _stays_behind(tree: Tree, settings: VoiceSettings) -> list[str]:
    """What a voice folder holds beside its recordings and how they are written down, in words."""
    voice = VoiceFolder(Path())
    warnings = []
    if settings.consent:
        warnings.append(
            f"the consent text in {voice.settings.name} does not come with the recordings: ask again before sharing"
        )
    here = [PurePosixPath(posixpath.relpath(name, tree.top or ".")) for name in tree.files]
    others = (voice.own_phrases, voice.phrase_marks, voice.takes, voice.uploads)
    if present := [path.name for path in others if any(name.is_relative_to(path) for name in here)]:
        warnings.append(f"{' and '.join(present)} not brought over; to move a voice with all it has, copy its folder")
    return warnings


def _is_kept_apart(name: str, top: str) -> bool:
    """Whether a file of a voice folder is a recording's copy, or one that is still to be saved."""
    voice = VoiceFolder(Path(top))
    return any(Path(name).is_relative_to(folder) for folder in (voice.exports, voice.takes, voice.uploads))


def _pair_texts(tree: Tree) -> list[Clip | LeftOut]:
    """Each recording with the .txt of its name beside it; either without the other is left out."""
    texts = {posixpath.splitext(name)[0]: name for name in sorted(tree.files) if name.lower().endswith(".txt")}
    found: list[Clip | LeftOut] = []
    paired = set()
    for name in sorted(filter(is_audio, tree.files)):
        stem = posixpath.splitext(name)[0]
        if stem not in texts:
            same = tree.alike.get(f"{stem}.txt".casefold())
            if same is None:
                reason = f"has no transcript: there is no {posixpath.basename(stem)}.txt beside it"
                found.append(LeftOut(name, None, reason))
                continue
            stem = posixpath.splitext(same)[0]
        paired.add(stem)
        try:
            found.append(Clip(name, check_text(decode_text(tree.read(texts[stem]), name)), tree.files[name]))
        except SourceError as error:
            found.append(LeftOut(texts[stem], None, error.what))
    found += [
        LeftOut(text, None, "has no recording: there is no audio file of its name beside it")
        for stem, text in texts.items()
        if stem not in paired
    ]
    return found


def _read_pairs(tree: Tree, pairs: list[Clip | LeftOut], tables: list[str]) -> Source:
    if not any(is_audio(name) for name in tree.files):
        raise SourceError(
            "holds no audio file and no table",
            where=tree.label,
            mend="Give a folder with recordings and a .txt of the same name beside each, or a table of them.",
        )
    warnings = [f"{table} was not read; name it itself to import from it" for table in tables]
    stems = Counter(posixpath.splitext(clip.name)[0] for clip in pairs if isinstance(clip, Clip))
    warnings += [f"{count} recordings share the transcript {stem}.txt" for stem, count in stems.items() if count > 1]
    found = [*pairs, *tree.left_out]
    if any(isinstance(pair, LeftOut) and is_audio(pair.name) for pair in pairs):
        found += _words_not_read(tree)
    return Source(found, len(found), ["recordings with a .txt of the same name"], warnings)


def _words_not_read(tree: Tree) -> Iterator[LeftOut]:
    """Files in which the missing words may be, with what makes them readable."""
    for name in sorted(tree.files):
        stem, suffix = posixpath.splitext(name.lower())
        if (mend := UNREAD.get(suffix)) and not posixpath.basename(stem).startswith("~$"):  # Office's own lock
            yield LeftOut(name, None, f"is not read: {mend}")


def _unlisted(tree: Tree, used: set[Content], tables: str) -> Iterator[LeftOut]:
    for name, content in tree.files.items():
        if is_audio(name) and content not in used:
            yield LeftOut(name, None, f"has no transcript: no line of {tables} names it")


def _several_tables(tree: Tree, names: list[str]) -> SourceError:
    return SourceError(
        f"holds several tables: {', '.join(names)}",
        where=tree.label,
        mend="Import one of them by its own name (unpack an archive first).",
    )


def _parents(folder: str) -> Iterator[str]:
    while folder:
        folder = posixpath.dirname(folder)
        yield folder
