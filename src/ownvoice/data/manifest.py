"""A voice's table, ``data.jsonl``: one JSON line an utterance, only ever added to; and its settings, ``voice.yaml``.

A later line with the id and the recording of an earlier one corrects it. Whether the recordings are any good is not
asked here (``check.py``), nor are they opened (``audio.py``).
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from ownvoice.config import VoiceSettings, check_language
from ownvoice.data import journal
from ownvoice.errors import ManifestError, storage_faults
from ownvoice.rundir import VoiceFolder, sync_folder


@dataclass(frozen=True)
class Utterance:
    """One recording and the words in it: one line of the manifest."""

    audio_path: str
    """Where the recording lies in the voice folder: relative, with ``/``, for example ``wavs/0001.wav``."""
    text: str
    id: str | None = None
    """Its name for good; left out, its ``audio_path`` is (see :func:`utterance_id`)."""
    language: str | None = None
    """ISO 639-1 code, when it is not the voice's."""
    source: str | None = None
    """Where it came from: the file or data set it was imported from, or the recorder."""
    duration: float | None = None
    """Seconds."""
    take: int | None = None
    """Which attempt at its phrase this is, from 1."""
    phrase_id: str | None = None
    """The phrase it was read from; takes of one phrase share it."""
    created: str | None = None
    """ISO 8601 time."""
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Fields of the line that ownvoice does not know: kept, and written back as they were."""

    def to_line(self) -> str:
        """The JSON line, without its line end; fields that are None are left out."""
        known = {name: getattr(self, name) for name in _FIELDS}
        fields = {name: value for name, value in known.items() if value is not None}
        return json.dumps({**self.extra, **fields} if self.extra else fields, ensure_ascii=False, allow_nan=False)


_FIELDS: dict[str, type] = {
    "audio_path": str, "text": str, "id": str, "language": str, "source": str, "duration": float, "take": int,
    "phrase_id": str, "created": str,
}  # fmt: skip
_TYPE_NAMES = {str: "text in quotes", int: "a whole number", float: "a number"}


@dataclass(frozen=True)
class ManifestReading:
    """A manifest as read."""

    utterances: list[Utterance]
    """In the order of their first lines, each id once."""
    warnings: list[str]
    """What was mended or left out while reading, in words."""


@dataclass(frozen=True)
class LineFault:
    """Something wrong with one line."""

    kind: str
    """``bad-line``, ``bad-field``, ``path-outside``, ``torn-line``, ``duplicate-id``, ``corrected``."""
    line: int
    """Counted from 1."""
    message: str
    mend: str


@dataclass(frozen=True)
class ManifestScan:
    """All that is in a manifest, the unusable too; nothing was changed on disk."""

    lines: list[tuple[int, Utterance]]
    """Line number and utterance, each id once."""
    faults: list[LineFault]
    """Lines that cannot be used."""
    notes: list[LineFault]
    """Lines that can, in a way one should know of."""


def utterance_id(utterance: Utterance) -> str:
    """The name by which splits, caches and reports know an utterance: its ``id``, else its ``audio_path``."""
    return utterance.audio_path if utterance.id is None else utterance.id


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
    warnings = []
    if journal.has_open_tail(voice.manifest):
        with journal.locked(voice.lock):  # whoever is just writing that line is done once the lock is ours
            mended = journal.mend_tail(voice.manifest, voice.torn_lines, _is_json_object)
        warnings += [mended] if mended else []
    scan = scan_manifest(voice)
    if scan.faults:
        fault, others = scan.faults[0], len(scan.faults) - 1
        more = f" ({others} more lines cannot be used either)" if others else ""
        _refuse(voice, fault, more)
    warnings += [f"{voice.manifest.name}, line {note.line}: {note.message}" for note in scan.notes]
    return ManifestReading([utterance for _, utterance in scan.lines], warnings)


def scan_manifest(voice: VoiceFolder) -> ManifestScan:
    """Read every line, good or bad, and change nothing: the one reader behind :func:`read_manifest` and ``check``.

    Raises
    ------
    DataError
        when there is no manifest.
    """
    data = voice.require().manifest.read_bytes().removeprefix(b"\xef\xbb\xbf")  # editors on Windows put that mark there
    root = os.path.realpath(voice.path)
    raw_lines = data.split(b"\n")
    parsed: list[tuple[int, Utterance]] = []
    faults: list[LineFault] = []
    for number, raw in enumerate(raw_lines, 1):
        if not raw.strip():
            continue
        result = _parse_line(raw, number, root)
        if isinstance(result, Utterance):
            parsed.append((number, result))
        elif number == len(raw_lines) and not _is_json_object(raw):
            mend = "Reading the voice moves it to a file beside data.jsonl; record or import that one again."
            faults.append(LineFault("torn-line", number, "the last line was cut off while being written", mend))
        else:
            faults.append(result)
    lines, notes, doubles = _settle_ids(parsed)
    return ManifestScan(lines, sorted([*faults, *doubles], key=lambda fault: fault.line), notes)


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
    root = os.path.realpath(voice.path)
    lines = []
    for number, utterance in enumerate(utterances, 1):
        try:
            raw = utterance.to_line().encode()
        except (ValueError, TypeError) as error:
            raise ManifestError(f"{utterance.audio_path!r} cannot be written ({error})", where=voice.manifest) from None
        result = _parse_line(raw, number, root)
        if isinstance(result, LineFault):
            raise ManifestError(f"{utterance.audio_path!r}: {result.message}", where=voice.manifest, mend=result.mend)
        lines.append(raw + b"\n")
    if not lines:
        return []
    with journal.locked(voice.lock):
        mended = journal.mend_tail(voice.manifest, voice.torn_lines, _is_json_object)
        journal.append(voice.manifest, b"".join(lines))
    return [mended] if mended else []


def audio_file(voice: VoiceFolder, utterance: Utterance) -> Path:
    """The path of an utterance's recording, which may not exist.

    Raises
    ------
    ManifestError
        when it would lie outside the voice folder.
    """
    if fault := _path_fault(utterance.audio_path, os.path.realpath(voice.path)):
        raise ManifestError(fault, where=voice.manifest, mend=_PATH_MEND)
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
        if not voice.wavs.is_dir():
            voice.wavs.mkdir()
            sync_folder(voice.path)
        try:
            number = int(voice.wav_counter.read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):  # a first name, or a counter cut off by a crash
            number = _highest_number(voice)
        number += 1
        while (voice.path / _wav_name(number)).exists():
            number += 1
        voice.wav_counter.write_text(f"{number}\n", encoding="ascii")
    return _wav_name(number)


def read_voice_settings(voice: VoiceFolder) -> VoiceSettings:
    """The settings in ``voice.yaml``, or the defaults where there is none.

    Raises
    ------
    ConfigError
        when the file cannot be read or a value is wrong.
    """
    return VoiceSettings.load(voice.settings) if voice.settings.exists() else VoiceSettings()


def write_voice_settings(voice: VoiceFolder, settings: VoiceSettings) -> None:
    """Write ``voice.yaml``, atomically.

    Raises
    ------
    StorageError
        when it cannot be written; the old file is then as it was.
    """
    settings.save(voice.settings)


_PATH_MEND = (
    "Write where the file lies in the voice folder, for example wavs/0001.wav; to bring a file in: ownvoice import"
)


def _refuse(voice: VoiceFolder, fault: LineFault, more: str) -> NoReturn:
    where = f"{voice.manifest}, line {fault.line}"
    raise ManifestError(fault.message + more, where=where, mend=f"{fault.mend} To see every problem: ownvoice check")


def _parse_line(raw: bytes, number: int, root: str) -> Utterance | LineFault:
    mend = "Correct or delete this line."
    try:
        fields = json.loads(raw.decode(), parse_constant=_no_constant)
    except UnicodeDecodeError:
        return LineFault("bad-line", number, "is not UTF-8 text", "Save the file as UTF-8.")
    except (ValueError, RecursionError) as error:
        return LineFault("bad-line", number, f"is not JSON ({error})", mend)
    if not isinstance(fields, dict):
        return LineFault("bad-line", number, 'is not a JSON object like {"audio_path": "...", "text": "..."}', mend)
    if fault := _field_fault(fields):
        return LineFault("bad-field", number, fault, mend)
    if fault := _path_fault(fields["audio_path"], root):
        return LineFault("path-outside", number, fault, _PATH_MEND)
    extra = {name: fields.pop(name) for name in list(fields) if name not in _FIELDS}
    return Utterance(**fields, extra=extra)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _field_fault(fields: dict[str, Any]) -> str | None:
    for name, kind in _FIELDS.items():
        value = fields.get(name)
        if value is None:
            if name in ("audio_path", "text"):
                return f'has no "{name}"'
            continue
        accepted = (int, float) if kind is float else kind
        if not isinstance(value, accepted) or isinstance(value, bool):
            return f'"{name}" must be {_TYPE_NAMES[kind]}'
        if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
            return f'"{name}" holds half a character, which cannot be saved'
    if not 0 <= (fields.get("duration") or 0) < math.inf:
        return '"duration" must be seconds'
    if fields.get("id") == "":
        return '"id" is empty'
    try:
        check_language(fields.get("language") or "en")
    except ValueError as error:
        return f'"language": {error}'
    return None


def _path_fault(audio_path: str, root: str) -> str | None:
    path = PurePosixPath(audio_path)
    if not path.parts or any(ord(character) < 32 for character in audio_path):
        return f'"audio_path" {audio_path!r} is no file name'
    if path.is_absolute() or "\\" in audio_path or re.match(r"[A-Za-z]:", audio_path):
        return f'"audio_path" {audio_path!r} must be relative to the voice folder, with / between names'
    if ".." in path.parts:
        return f'"audio_path" {audio_path!r} leads out of its folder by ..'
    if not os.path.realpath(Path(root, audio_path)).startswith(root + os.sep):
        return f'"audio_path" {audio_path!r} is a link that leads out of the voice folder'
    return None


def _settle_ids(
    parsed: list[tuple[int, Utterance]],
) -> tuple[list[tuple[int, Utterance]], list[LineFault], list[LineFault]]:
    """Each id once: (lines, notes, faults)."""
    by_id: dict[str, tuple[int, Utterance]] = {}
    notes: list[LineFault] = []
    faults: list[LineFault] = []
    for number, utterance in parsed:
        earlier_number, earlier = by_id.get(utterance_id(utterance), (0, None))
        if earlier is not None and earlier.audio_path == utterance.audio_path:
            message = f"corrects line {earlier_number}, of the same recording; this later line counts"
            notes.append(LineFault("corrected", number, message, "Delete the line that is wrong if this is not meant."))
        elif earlier is not None:  # another recording under the same name: keep both
            message = f"repeats the id {utterance.id!r} of line {earlier_number}; it goes by its file name instead"
            utterance = replace(utterance, id=utterance.audio_path)
            fault = LineFault("duplicate-id", number, message, "Give it an id of its own, or leave the id out.")
            if utterance.audio_path in by_id:
                faults.append(fault)
                continue
            notes.append(fault)
        by_id[utterance_id(utterance)] = (number, utterance)
    return list(by_id.values()), notes, faults


def _is_json_object(raw: bytes) -> bool:
    try:
        return isinstance(json.loads(raw), dict)
    except (ValueError, RecursionError):
        return False


def _highest_number(voice: VoiceFolder) -> int:
    names = [f"{voice.wavs.name}/{path.name}" for path in voice.wavs.iterdir()]
    if voice.manifest.exists():
        names += voice.manifest.read_text(encoding="utf-8", errors="replace").split('"')
    numbers = (re.match(rf"{voice.wavs.name}/(\d+)\.", name) for name in names)
    return max((int(match[1]) for match in numbers if match), default=0)


def _wav_name(number: int) -> str:
    return f"wavs/{number:04d}.wav"
