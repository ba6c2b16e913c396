"""Files on their way into a voice: brought in pieces, decoded, kept with their words until the person saves them.

``VOICE/uploads/ID/`` holds one batch: a log in which a later line counts, and beside it each file's bytes as they come
(``.part``) and its sound once decoded (``.wav``). Killed at any moment, what was acknowledged is there. Which words
belong to which file, and how the batch is saved, is told in ``upload_words.py``.
"""

from __future__ import annotations

import json
import re
import secrets
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ownvoice.data import journal
from ownvoice.data.audio import convert_to_wav, read_duration
from ownvoice.data.importers.archive import MAX_FILE_BYTES
from ownvoice.data.importers.source import LeftOut, is_audio, printable
from ownvoice.data.importers.tables import TABLE_SUFFIXES
from ownvoice.data.utterance import is_json_object
from ownvoice.errors import AudioError, DataError, SourceError, storage_faults
from ownvoice.rundir import UploadFolder, VoiceFolder, make_folder

MAX_FILES = 1000
"""Files of one batch: as many rows as a page can show and a person can look through."""

MAX_TOTAL_BYTES = 4 << 30
"""Size of one batch: twelve hours of a phone's uncompressed recordings."""

MAX_TEXT_BYTES = 8 << 20
"""Size of a file of words; a table of a million words is smaller."""

MAX_UPLOADS = 20
"""Batches one voice may have open at a time."""

_ID = re.compile(r"[0-9a-f]{16}")
_LONGEST_NAME = 120


@dataclass(frozen=True)
class UploadedFile:
    """One file of a batch, as far as it is known."""

    number: int
    """From 1, in the order the files were announced."""
    name: str
    """What the person calls it, without folders. No file is ever written under it."""
    size: int
    """Bytes it will have."""
    stored: int
    """Bytes that are safely here."""
    seconds: float | None = None
    """Length of its sound, once decoded."""
    fault: str | None = None
    """Why it cannot be used, in words."""
    text: str | None = None
    """Its words as the person wrote them or a model proposed them; None where neither did."""
    draft: bool = False
    """Whether ``text`` is a model's proposal that the person has not confirmed."""
    left_out: bool = False
    """Whether the person does not want it."""
    saved: bool = False
    """Whether it is in the voice."""

    @property
    def is_sound(self) -> bool:
        return is_audio(self.name)

    @property
    def is_whole(self) -> bool:
        return self.stored >= self.size


def start_upload(voice: VoiceFolder) -> UploadFolder:
    """Make an empty batch, which only its owner can look into.

    Raises
    ------
    SourceError
        when there are :data:`MAX_UPLOADS` already.
    StorageError
        when the folder cannot be written.
    """
    if len(list_uploads(voice)) >= MAX_UPLOADS:
        raise SourceError(
            f"there are {MAX_UPLOADS} unfinished batches of files", mend="Save or throw away one of them first."
        )
    upload = UploadFolder(voice.uploads / secrets.token_hex(8))
    with storage_faults(upload.path):
        make_folder(upload.path)
        upload.log.touch(mode=0o600)
    return upload


def open_upload(voice: VoiceFolder, name: str) -> UploadFolder:
    """The batch called ``name``.

    Raises
    ------
    DataError
        when this voice has none of that name.
    """
    upload = UploadFolder(voice.uploads / name)
    if not _ID.fullmatch(name) or not upload.log.is_file():
        raise DataError("these files are not here any more: they were saved or thrown away", mend="Reload the page.")
    return upload


def list_uploads(voice: VoiceFolder) -> list[UploadFolder]:
    """Every batch that is not saved yet, the latest first."""
    if not voice.uploads.is_dir():
        return []
    uploads = [UploadFolder(path) for path in voice.uploads.iterdir() if _ID.fullmatch(path.name)]
    started = [upload for upload in uploads if upload.log.is_file()]
    return sorted(started, key=lambda upload: upload.log.stat().st_ctime_ns, reverse=True)


def discard_upload(upload: UploadFolder) -> None:
    """Delete a batch and all that was brought in with it; the person's own files are where they were.

    Killed on the way, the batch is still listed and can be deleted again.

    Raises
    ------
    StorageError
        when it cannot be deleted.
    """
    with storage_faults(upload.path):
        for path in upload.path.iterdir():
            if path != upload.log:
                path.unlink()
        upload.log.unlink()
        upload.path.rmdir()


def read_files(upload: UploadFolder) -> list[UploadedFile]:
    """Every file of the batch, in its order."""
    known: dict[int, dict[str, Any]] = {}
    for line in upload.log.read_bytes().splitlines():
        if is_json_object(line):
            fields = json.loads(line)
            known.setdefault(fields.pop("file"), {}).update(fields)
    return [
        UploadedFile(number, stored=_stored(upload, number, fields), **fields)
        for number, fields in sorted(known.items())
    ]


def find_file(upload: UploadFolder, number: int) -> UploadedFile:
    """One file of the batch.

    Raises
    ------
    DataError
        when it has none of that number.
    """
    for file in read_files(upload):
        if file.number == number:
            return file
    raise DataError(f"there is no file {number} in this batch", mend="Reload the page.")


def announce_files(upload: UploadFolder, announced: Sequence[tuple[str, int]]) -> list[UploadedFile | LeftOut]:
    """Make room for files by name and size; each becomes a file of the batch or is refused with the reason.

    A recording that is in the batch already, by name and size, is that recording: so an interrupted batch goes on. A
    file of words brought in again takes the place of the one before: it was corrected, perhaps by letters that leave
    its size as it was. Two files of one name at a time are two files, from two folders: the second is refused.

    Raises
    ------
    SourceError
        when the batch would grow beyond :data:`MAX_FILES` or :data:`MAX_TOTAL_BYTES`; none is then added.
    StorageError
        when it cannot be written down.
    """
    outcomes: list[UploadedFile | LeftOut] = []
    with journal.locked(upload.lock):
        files = read_files(upload)
        by_name = {file.name: file for file in files}
        number = len(files)
        entries: list[dict[str, Any]] = []
        taken: set[str] = set()
        for raw, size in announced:
            name = _plain_name(raw)
            known = by_name.get(name)
            is_twin = name in taken
            if known and known.size == size and not is_twin and (known.is_sound or not known.stored):
                outcomes.append(known)
            elif reason := _refusal(name, size, is_taken=is_twin or (known is not None and known.is_sound)):
                outcomes.append(LeftOut(name, None, reason))
                continue
            else:
                number += 1
                by_name[name] = file = UploadedFile(number, name, size, stored=0)
                outcomes.append(file)
                entries.append({"file": number, "name": name, "size": size})
                entries += [{"file": known.number, "left_out": True}] if known else []
            taken.add(name)
        _refuse_amount(by_name.values())
        _write(upload, entries)
    return outcomes


def store_piece(upload: UploadFolder, number: int, at: int, data: bytes) -> UploadedFile:
    """Add the bytes of a file from byte ``at`` on, synced before this returns; the last piece has the sound decoded.

    Asked again, it stores nothing twice. Where ``at`` lies beyond what is stored nothing is written: send again from
    ``stored`` of the file returned.

    Raises
    ------
    DataError
        when there is no such file.
    SourceError
        when it would grow past the size it was announced with.
    StorageError
        when the disk is full; what was stored before stays.
    """
    with journal.locked(upload.lock):
        file = find_file(upload, number)
        if at + len(data) > file.size:
            raise SourceError("is larger than it was announced", where=file.name, mend="Bring it in again.")
        fresh = data[file.stored - at :] if at <= file.stored else b""
        if fresh:
            journal.append(upload.part(number), fresh)
        file = find_file(upload, number)
    if file.is_whole and file.is_sound and file.seconds is None and file.fault is None:
        _decode(upload, file)
        file = find_file(upload, number)
    return file


def note(upload: UploadFolder, changes: Iterable[tuple[int, dict[str, Any]]]) -> None:
    """Write down changes of files, each a number and fields of :class:`UploadedFile`, all or none.

    Raises
    ------
    StorageError
        when they cannot be written.
    """
    with journal.locked(upload.lock):
        _write(upload, [{"file": number, **fields} for number, fields in changes])


def _write(upload: UploadFolder, entries: Sequence[dict[str, Any]]) -> None:
    if entries:
        journal.mend_tail(upload.log, upload.torn_lines, is_json_object)
        lines = (json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
        journal.append(upload.log, "".join(lines).encode())


def _decode(upload: UploadFolder, file: UploadedFile) -> None:
    """Listen to a file that is whole; killed on the way, the next piece (an empty one will do) takes it up again."""
    part, wav = upload.part(file.number), upload.wav(file.number)
    try:
        seconds = read_duration(wav) if wav.exists() else convert_to_wav(part, wav)
    except FileExistsError:  # the same file from another tab was a moment faster
        seconds = read_duration(wav)
    except AudioError as error:
        note(upload, [(file.number, {"fault": error.what})])
        return
    note(upload, [(file.number, {"seconds": round(seconds, 3)})])
    part.unlink(missing_ok=True)


def _stored(upload: UploadFolder, number: int, fields: dict[str, Any]) -> int:
    part = upload.part(number)
    if part.exists():
        return part.stat().st_size
    return int(fields["size"]) if fields.get("seconds") is not None or upload.wav(number).exists() else 0


def _plain_name(raw: str) -> str:
    """The last part of a name from a browser, in composed letters and without what a page or a file could not hold."""
    name = unicodedata.normalize("NFC", re.split(r"[/\\]", raw)[-1])
    stem, dot, suffix = printable(name).strip().rpartition(".")
    return f"{stem[:_LONGEST_NAME]}{dot}{suffix[:_LONGEST_NAME]}"


def _refusal(name: str, size: int, *, is_taken: bool) -> str | None:
    if name.lower().endswith(".zip"):
        return "is an archive: unpack it and choose the files in it"
    if not is_audio(name) and not name.lower().endswith((".txt", *TABLE_SUFFIXES)):
        return "is neither a recording nor words: those are .txt, .csv, .tsv or .jsonl"
    if size <= 0:
        return "is empty (0 bytes)"
    limit = MAX_FILE_BYTES if is_audio(name) else MAX_TEXT_BYTES
    if size > limit:
        return f"is {size >> 20} MB large; at most {limit >> 20} MB are taken"
    if is_taken:
        return "another file of this name is here already: rename one of them"
    return None


def _refuse_amount(files: Iterable[UploadedFile]) -> None:
    sizes = [file.size for file in files]
    if len(sizes) > MAX_FILES:
        raise SourceError(
            f"{len(sizes)} files are too many at a time; at most {MAX_FILES} are taken",
            mend="Bring in a part of them, save it, then go on with the rest.",
        )
    if sum(sizes) > MAX_TOTAL_BYTES:
        raise SourceError(
            f"{sum(sizes) >> 30} GB are too much at a time; at most {MAX_TOTAL_BYTES >> 30} GB are taken",
            mend="Bring in a part of the files, save it, then go on with the rest.",
        )
