"""A voice's table, ``data.jsonl``: one JSON line an utterance, only ever added to.

A later line with the id and the recording of an earlier one corrects it; a first line that ``replaces`` another
utterance excludes that one, until a later line of its own takes it back. Whether the recordings are any good is not
asked here (``check.py``), nor are they opened (``audio.py``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ownvoice.data import journal
from ownvoice.data.utterance import (
    PATH_MEND,
    LineFault,
    Utterance,
    is_json_object,
    parse_line,
    path_fault,
    utterance_id,
)
from ownvoice.errors import DataError, ManifestError, storage_faults
from ownvoice.quantities import counted
from ownvoice.rundir import VoiceFolder, make_folder


@dataclass(frozen=True)
class ManifestReading:
    """A manifest as read."""

    everything: list[Utterance]
    """In the order of their first lines, each id once; the excluded too."""
    warnings: list[str]
    """What was mended or left out while reading, in words."""

    @property
    def utterances(self) -> list[Utterance]:
        """Those that count: all but the excluded."""
        return [utterance for utterance in self.everything if not utterance.excluded]


@dataclass(frozen=True)
class ManifestScan:
    """All that is in a manifest, the unusable too; nothing was changed on disk."""

    everything: list[tuple[int, Utterance]]
    """Line number and utterance, each id once; the excluded too."""
    faults: list[LineFault]
    """Lines that cannot be used."""
    notes: list[LineFault]
    """Lines that can, in a way one should know of."""

    @property
    def lines(self) -> list[tuple[int, Utterance]]:
        """Line number and utterance of those that count: all but the excluded."""
        return [(number, utterance) for number, utterance in self.everything if not utterance.excluded]


def read_manifest(voice: VoiceFolder) -> ManifestReading:
    """Read every utterance; a last line that was cut off while being written is moved aside and told in ``warnings``.

    Raises
    ------
    DataError
        when there is no manifest.
    ManifestError
        naming the first line that cannot be used: no JSON object, a field missing or of the wrong type, a path that
        is absolute or leads out of the voice folder (by ``..`` or by a link). ``ownvoice check`` lists them all.
    StorageError
        when the cut-off line cannot be moved aside.
    """
    voice.require()
    data, warnings = _bytes(voice), []
    if not data.endswith(b"\n"):
        with journal.locked(voice.lock):  # whoever is just writing that line is done once the lock is ours
            mended = journal.mend_tail(voice.manifest, voice.torn_lines, is_json_object)
            data = _bytes(voice)
        warnings += [mended] if mended else []
    scan = _scan(data, os.path.realpath(voice.path))
    if scan.faults:
        fault, others = scan.faults[0], len(scan.faults) - 1
        more = f" ({counted(others, 'more line')} cannot be used either)" if others else ""
        where = f"{voice.manifest}, line {fault.line}"
        raise ManifestError(
            fault.message + more, where=where, mend=f"{fault.mend} To see every problem: ownvoice check"
        )
    name = voice.manifest.name
    warnings += [f"{name}, line {note.line}: {note.message}" for note in scan.notes if note.kind != "corrected"]
    if corrected := sum(note.kind == "corrected" for note in scan.notes):
        lines = counted(corrected, "later line corrects an earlier one", "later lines correct earlier ones")
        warnings.append(f"{name}: {lines} of the same recording, and the last of them counts")
    return ManifestReading([utterance for _, utterance in scan.everything], warnings)


def scan_manifest(voice: VoiceFolder) -> ManifestScan:
    """Read every line, good or bad, and change nothing: how ``check`` reads what :func:`read_manifest` may refuse.

    Faults are of the kinds of :func:`ownvoice.data.utterance.parse_line`, ``torn-line`` and ``duplicate-id``; notes are
    ``duplicate-id`` and ``corrected``.

    Raises
    ------
    DataError
        when there is no manifest, or it cannot be opened.
    """
    voice.require()
    return _scan(_bytes(voice), os.path.realpath(voice.path))


def append_utterances(voice: VoiceFolder, utterances: Iterable[Utterance]) -> list[str]:
    """Add lines at the end of the manifest, all or none, synced to disk before this returns.

    Safe with other processes doing the same. Save the recordings first, so that no line is without its file.
    Returns what had to be mended before writing, in words: usually nothing.

    Raises
    ------
    ManifestError
        when an utterance could not be read back: a path out of the folder, a wrong type; nothing is then written.
    StorageError
        when the disk is full, the folder cannot be written, or another program holds it; the manifest is as it was.
    """
    lines = _lines(voice, utterances)
    if not lines:
        return []
    with journal.locked(voice.lock):
        return _append(voice, lines)


def revise_utterance(voice: VoiceFolder, name: str, **changes: Any) -> Utterance:
    """Correct the utterance with the id ``name`` by adding a line with ``changes``, fields of it; nothing is deleted.

    Safe with other processes doing the same. Returns the utterance as it counts from now on.

    Raises
    ------
    DataError
        when there is no such utterance.
    ManifestError
        when a value is wrong, or the manifest cannot be trusted; nothing is then written.
    StorageError
        as :func:`append_utterances`.
    """
    with journal.locked(voice.lock):
        scan = scan_manifest(voice)
        found = next((row for _, row in scan.everything if utterance_id(row) == name), None)
        if found is None:
            raise DataError(f"there is no recording {name!r}", where=voice.manifest, mend="Reload the page.")
        revised = replace(found, edited=datetime.now(UTC).isoformat(timespec="milliseconds"), **changes)
        _append(voice, _lines(voice, [revised]))
    return revised


def _lines(voice: VoiceFolder, utterances: Iterable[Utterance]) -> list[bytes]:
    """Each utterance's line, proven to be readable."""
    root = os.path.realpath(voice.path)
    lines = []
    for number, utterance in enumerate(utterances, 1):
        try:
            raw = utterance.to_line().encode()
        except (ValueError, TypeError) as error:
            raise ManifestError(f"{utterance.audio_path!r} cannot be written ({error})", where=voice.manifest) from None
        result = parse_line(raw, number, root)
        if isinstance(result, LineFault):
            raise ManifestError(f"{utterance.audio_path!r}: {result.message}", where=voice.manifest, mend=result.mend)
        lines.append(raw + b"\n")
    return lines


def _append(voice: VoiceFolder, lines: list[bytes]) -> list[str]:
    """Add lines while the lock is held; returns what had to be mended before."""
    mended = journal.mend_tail(voice.manifest, voice.torn_lines, is_json_object)
    journal.append(voice.manifest, b"".join(lines))
    return [mended] if mended else []


def audio_file(voice: VoiceFolder, utterance: Utterance) -> Path:
    """The path of an utterance's recording, which may not exist.

    Raises
    ------
    ManifestError
        when it would lie outside the voice folder.
    """
    if fault := path_fault(utterance.audio_path, os.path.realpath(voice.path)):
        raise ManifestError(fault, where=voice.manifest, mend=PATH_MEND)
    return voice.path / utterance.audio_path


def next_wav_name(voice: VoiceFolder) -> str:
    """Reserve and return a name for a new recording: ``wavs/0001.wav``, ``wavs/0002.wav``...

    No name is given out twice, to any process, even when its file was deleted. No file is made; writers
    (:func:`ownvoice.data.audio.write_wav`) refuse an existing one.

    Raises
    ------
    StorageError
        when the folder cannot be written or another program holds it.
    """
    with journal.locked(voice.lock), storage_faults(voice.wavs):
        make_folder(voice.wavs)
        try:
            number = int(voice.wav_counter.read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):  # a first name, or a counter cut off by a crash
            number = _highest_number(voice)
        number += 1
        while (voice.wavs / f"{number:04d}.wav").exists():
            number += 1
        voice.wav_counter.write_text(f"{number}\n", encoding="ascii")
    return f"{voice.wavs.name}/{number:04d}.wav"


def _bytes(voice: VoiceFolder) -> bytes:
    try:
        return voice.manifest.read_bytes()
    except OSError as error:
        raise ManifestError(f"cannot be opened ({error.strerror})", where=voice.manifest) from None


def _scan(data: bytes, root: str) -> ManifestScan:
    raw_lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")  # editors on Windows put that mark there
    settler = LineSettler(root)
    for raw in raw_lines[:-1]:
        settler.add(raw)
    if is_json_object(raw_lines[-1]) or not raw_lines[-1].strip():
        settler.add(raw_lines[-1])
    else:
        mend = "Reading the voice moves it to a file beside data.jsonl; record or import that one again."
        fault = LineFault("torn-line", len(raw_lines), "the last line was cut off while being written", mend)
        settler.faults.append(fault)
    return ManifestScan(list(settler.by_id.values()), settler.faults, settler.notes)


class LineSettler:
    """Takes a manifest's lines one after the other and keeps each id once.

    A later line of the same recording corrects; another recording of the same id is kept under its own name.
    """

    def __init__(self, root: str) -> None:
        """``root`` is the voice folder, a path free of links."""
        self._root = root
        self._number = 0
        self.by_id: dict[str, tuple[int, Utterance]] = {}
        """Line number and utterance by id, in the order of the first lines."""
        self.faults: list[LineFault] = []
        self.notes: list[LineFault] = []

    def add(self, raw: bytes) -> None:
        """The next line."""
        self._number += 1
        if not raw.strip():
            return
        utterance = parse_line(raw, self._number, self._root)
        if isinstance(utterance, LineFault):
            self.faults.append(utterance)
            return
        earlier_number, earlier = self.by_id.get(utterance_id(utterance), (0, None))
        if earlier is None:
            self._exclude_replaced(utterance)
        elif earlier.audio_path == utterance.audio_path:
            self._note_correction(utterance, earlier_number)
        else:
            message = f"repeats the id {utterance.id!r} of line {earlier_number}; it goes by its file name instead"
            fault = LineFault("duplicate-id", self._number, message, "Give it an id of its own, or leave the id out.")
            utterance = replace(utterance, id=utterance.audio_path)
            if utterance.audio_path in self.by_id:
                self.faults.append(fault)
                return
            self.notes.append(fault)
        self.by_id[utterance_id(utterance)] = (self._number, utterance)

    def _exclude_replaced(self, utterance: Utterance) -> None:
        if utterance.replaces in self.by_id:
            number, replaced = self.by_id[utterance.replaces]
            self.by_id[utterance.replaces] = (number, replace(replaced, excluded=True))

    def _note_correction(self, utterance: Utterance, earlier_number: int) -> None:
        if utterance.edited is None:  # else it was meant
            message = f"corrects line {earlier_number}, of the same recording; this later line counts"
            mend = "Delete the line that is wrong if this is not meant."
            self.notes.append(LineFault("corrected", self._number, message, mend))


def _highest_number(voice: VoiceFolder) -> int:
    names = [f"{voice.wavs.name}/{path.name}" for path in voice.wavs.iterdir()]
    if voice.manifest.exists():
        names += voice.manifest.read_text(encoding="utf-8", errors="replace").split('"')
    numbers = (re.match(rf"{voice.wavs.name}/(\d+)\.", name) for name in names)
    return max((int(match[1]) for match in numbers if match), default=0)
