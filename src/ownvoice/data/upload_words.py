"""Which words belong to which uploaded file, shown before anything is saved; and saving, through the importers.

Words come from a .txt of the same name or a table (read as ``ownvoice import`` reads them), from lines pasted in the
order of the files, from a model's draft, and last and strongest from the person's own hand. Bytes are ``uploads.py``'s.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from ownvoice.data.importers import ImportResult
from ownvoice.data.importers.columns import Wanted
from ownvoice.data.importers.folders import Tree, read_tree
from ownvoice.data.importers.intake import take_in
from ownvoice.data.importers.source import Clip, Content, LeftOut, Source
from ownvoice.data.importers.tables import Locate, check_text
from ownvoice.data.uploads import UploadedFile, discard_upload, note, read_files
from ownvoice.data.utterance import LONGEST_TEXT
from ownvoice.errors import SourceError
from ownvoice.quantities import counted
from ownvoice.rundir import UploadFolder, VoiceFolder

State = Literal["coming", "unheard", "unreadable", "no-words", "draft", "ready", "left-out", "saved"]
"""Where a recording is on its way: its bytes are coming; whole and not yet decoded; not decodable; without words; with
words a model proposed; ready to be saved; not wanted; in the voice."""

_LABEL = "upload"
_DONE: Collection[State] = ("left-out", "saved")


@dataclass(frozen=True)
class MatchedFile:
    """A recording of the batch with the words that were found for it."""

    file: UploadedFile
    text: str
    """Empty where there are none."""
    state: State


@dataclass(frozen=True)
class Matching:
    """A whole batch, as the person sees it before saving."""

    rows: list[MatchedFile]
    """The recordings, in the order of the batch."""
    texts: list[UploadedFile]
    """The files of words."""
    problems: list[LeftOut]
    """Words that belong to no recording, and files of words that cannot be read."""
    notes: list[str]
    """How the files of words were understood."""

    def waiting(self) -> list[MatchedFile]:
        """The recordings that still lack words."""
        return [row for row in self.rows if row.state == "no-words"]


class _FlatTree(Tree):
    """Files without folders: a table that says ``clips/a.wav`` means the ``a.wav`` that was brought in."""

    def locate_from(self, folder: str) -> Locate:
        locate = super().locate_from(folder)

        def locate_anywhere(value: str) -> Content:
            try:
                return locate(value)
            except SourceError:
                return locate(posixpath.basename(value.replace("\\", "/")))

        return locate_anywhere


def match_words(upload: UploadFolder) -> Matching:
    """Pair every recording of the batch with its words. Changes nothing."""
    files = read_files(upload)
    sounds = [file for file in files if file.is_sound]
    texts = [file for file in files if not file.is_sound and not file.left_out]
    found, problems, notes = _read_texts(upload, sounds, [file for file in texts if file.is_whole])
    rows = []
    for file in sounds:
        text = found.get(file.number, "") if file.text is None else file.text
        rows.append(MatchedFile(file, text, _state(file, text)))
    return Matching(rows, texts, problems, notes)


def write_words(upload: UploadFolder, number: int, text: str) -> None:
    """Give a recording the words the person wrote; what was proposed for it before no longer counts.

    Raises
    ------
    SourceError
        when the text is too long or cannot be saved.
    """
    note(upload, [(number, {"text": _one_line(text), "draft": False})])


def paste_words(upload: UploadFolder, lines: str) -> int:
    """Give each recording that lacks words one line of ``lines``, in order; returns how many.

    Raises
    ------
    SourceError
        naming the recordings without a line, or the lines without a recording; nothing is then changed.
    """
    waiting = [row.file for row in match_words(upload).waiting()]
    texts = [_one_line(line) for line in lines.splitlines() if line.strip()]
    head = f"{counted(len(waiting), 'recording')} without words, and {counted(len(texts), 'line')}"
    if missing := waiting[len(texts) :]:
        raise SourceError(
            f"{head}. Without a line: {', '.join(file.name for file in missing)}",
            mend="Add a line for each of these, in this order, or leave these recordings out.",
        )
    if extra := texts[len(waiting) :]:
        quoted = ", ".join(f"“{line}”" for line in extra)
        raise SourceError(f"{head}. Without a recording: {quoted}", mend="Take these lines away.")
    note(upload, [(file.number, {"text": text, "draft": False}) for file, text in zip(waiting, texts, strict=True)])
    return len(texts)


def propose_words(upload: UploadFolder, texts: Mapping[int, str]) -> int:
    """Keep a model's transcripts, by file number, for recordings that still lack words; returns how many were kept."""
    waiting = {row.file.number for row in match_words(upload).waiting()}
    kept = {number: _one_line(text[:LONGEST_TEXT]) for number, text in texts.items() if number in waiting}
    proposals = [(number, {"text": text, "draft": True}) for number, text in kept.items() if text]
    note(upload, proposals)
    return len(proposals)


def save_upload(upload: UploadFolder, voice: VoiceFolder, numbers: Collection[int] | None = None) -> ImportResult:
    """Copy the recordings with these numbers, or all, into the voice; a batch with nothing left to save is deleted.

    Killed at any moment, saving again goes on: what is in the voice already is recognised by its sound and words.

    Raises
    ------
    SourceError
        naming every recording of the batch that is not ready; nothing is then saved.
    ManifestError
        when the voice's own table cannot be trusted.
    StorageError
        when the disk is full or the voice cannot be written; what came in until then stays.
    """
    rows = match_words(upload).rows
    if unready := [row.file.name for row in rows if row.state not in ("ready", *_DONE)]:
        raise SourceError(
            f"these recordings are not ready: {', '.join(unready)}",
            mend="Give each its words, or leave it out.",
        )
    chosen = [row for row in rows if row.state == "ready" and (numbers is None or row.file.number in numbers)]
    clips = [Clip(row.file.name, row.text, upload.wav(row.file.number)) for row in chosen]
    result = take_in(Source(clips, len(clips), []), voice, label=_LABEL)
    reasons = {clip.name: clip.reason for clip in result.failed}
    outcomes = [(row.file, reasons.get(row.file.name)) for row in chosen]
    note(upload, [(file.number, {"fault": fault} if fault else {"saved": True}) for file, fault in outcomes])
    for file, fault in outcomes:
        if fault is None:
            upload.wav(file.number).unlink(missing_ok=True)
    if all(row.state in _DONE for row in match_words(upload).rows):
        discard_upload(upload)
    return result


def _state(file: UploadedFile, text: str) -> State:
    if file.saved or file.left_out:
        return "saved" if file.saved else "left-out"
    if file.fault is not None:
        return "unreadable"
    if file.seconds is None:
        return "unheard" if file.is_whole else "coming"
    if not text:
        return "no-words"
    return "draft" if file.draft else "ready"


def _one_line(text: str) -> str:
    if not text.strip():
        return ""
    line = check_text(text)
    if len(line) > LONGEST_TEXT:
        raise SourceError(
            f"a text of {len(line)} letters is too long for one recording; at most {LONGEST_TEXT} are kept",
            mend="Cut the recording into several, each with its words.",
        )
    return line


def _read_texts(
    upload: UploadFolder, sounds: list[UploadedFile], texts: list[UploadedFile]
) -> tuple[dict[int, str], list[LeftOut], list[str]]:
    """The words by file number, what could not be used, and how the files were read."""
    words: dict[int, str] = {}
    problems: list[LeftOut] = []
    notes: list[str] = []
    number_of: dict[Content, int] = {upload.wav(file.number): file.number for file in sounds}
    names = {file.name: upload.wav(file.number) for file in sounds}
    for together in _by_trust(texts) if sounds else []:
        tree = _FlatTree(_LABEL, {**names, **{file.name: upload.part(file.number) for file in together}})
        try:
            source = read_tree(tree, Wanted())
        except SourceError as error:
            problems.append(LeftOut(error.where or _LABEL, None, f"{error.what}. {error.mend or ''}".strip()))
            continue
        from_others = set(words)
        for found in source.found:
            if isinstance(found, LeftOut):
                if found.line is not None or found.name not in names:  # one without words is seen in its own row
                    problems.append(found)
            elif (number := number_of.get(found.audio)) is None:
                problems.append(LeftOut(found.name, found.line, "is no recording"))
            elif words.setdefault(number, found.text) != found.text:
                place = "in another file" if number in from_others else "on an earlier line"
                problems.append(LeftOut(found.name, found.line, f"has other words {place}, which count"))
        notes += [*source.read_as, *source.warnings]
    return words, problems, notes


def _by_trust(texts: list[UploadedFile]) -> list[list[UploadedFile]]:
    """Files of words that are read together, most trusted first: a .txt each, then tables, the latest first."""
    beside = [file for file in texts if file.name.lower().endswith(".txt")]
    tables = [[file] for file in reversed(texts) if file not in beside]
    return [beside, *tables] if beside else tables
