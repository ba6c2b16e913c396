"""One utterance and its JSON line: the fields, how a line is written, and every way a line can be wrong.

Does not open files; which lines make a voice is told in ``manifest.py``.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from ownvoice.config import check_language

PATH_MEND = (
    "Write where the file lies in the voice folder, for example wavs/0001.wav; to bring a file in: ownvoice import"
)

LONGEST_TEXT = 2000
"""Characters that a page takes as the words of one recording: thirty seconds of the fastest speech have a fourth."""


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
    edited: str | None = None
    """ISO 8601 time at which this line was written to correct an earlier one of the same recording, on purpose."""
    excluded: bool = False
    """Set aside by the person: kept, and neither trained on, judged by, nor published."""
    trim: tuple[float, float] | None = None
    """Start and end, in seconds, of the part that counts; the file itself stays whole."""
    replaces: str | None = None
    """Id of the utterance that this one was recorded in place of, which is excluded from then on."""
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Fields of the line that ownvoice does not know: kept, and written back as they were."""

    def __post_init__(self) -> None:
        if known := self.extra.keys() & _FIELDS.keys():
            raise ValueError(f"extra must not hold the known fields {sorted(known)}")

    def to_line(self) -> str:
        """The JSON line, without its line end; fields that are None or False are left out.

        Raises
        ------
        ValueError, TypeError
            when ``extra`` or ``duration`` holds what JSON cannot.
        """
        known = {name: getattr(self, name) for name in _FIELDS}
        fields = {name: value for name, value in known.items() if value is not None and value is not False}
        return json.dumps({**fields, **self.extra}, ensure_ascii=False, allow_nan=False)


_FIELDS: dict[str, type] = {
    "audio_path": str, "text": str, "id": str, "language": str, "source": str, "duration": float, "take": int,
    "phrase_id": str, "created": str, "edited": str, "excluded": bool, "trim": tuple, "replaces": str,
}  # fmt: skip
_ACCEPTED: dict[type, tuple[type, ...]] = {float: (int, float), tuple: (list,)}
_TYPE_NAMES = {
    str: "text in quotes", int: "a whole number", float: "a number", bool: "true or false",
    tuple: "start and end in seconds, like [0.5, 2.25]",
}  # fmt: skip


@dataclass(frozen=True)
class LineFault:
    """Something wrong with one line of a manifest."""

    kind: str
    """A short name that programs may rely on, such as ``bad-line``."""
    line: int
    """Counted from 1."""
    message: str
    mend: str


def utterance_id(utterance: Utterance) -> str:
    """The name by which splits, caches and reports know an utterance: its ``id``, else its ``audio_path``."""
    return utterance.audio_path if utterance.id is None else utterance.id


def parse_line(raw: bytes, number: int, root: str) -> Utterance | LineFault:
    """Read line ``number`` of a voice whose folder is ``root``, a path free of links.

    Faults are of kind ``bad-line`` (no JSON object), ``bad-field`` (missing or of the wrong type) and ``path-outside``.
    """
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
    if fault := path_fault(fields["audio_path"], root):
        return LineFault("path-outside", number, fault, PATH_MEND)
    extra = {name: fields.pop(name) for name in list(fields) if name not in _FIELDS}
    fields = {name: value for name, value in fields.items() if value is not None}
    if "trim" in fields:
        fields["trim"] = tuple(fields["trim"])
    return Utterance(**fields, extra=extra)


def is_json_object(raw: bytes) -> bool:
    """Whether ``raw`` is a whole JSON object; a line that was cut off never is."""
    try:
        return isinstance(json.loads(raw), dict)
    except (ValueError, RecursionError):
        return False


def path_fault(audio_path: str, root: str) -> str | None:
    """What is wrong with ``audio_path`` as a path inside the folder ``root`` (free of links), or None."""
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


def trim_fault(trim: Sequence[object]) -> str | None:
    """What is wrong with ``trim`` as start and end of the part of a recording that counts, or None."""
    if len(trim) != 2 or any(not isinstance(edge, (int, float)) or isinstance(edge, bool) for edge in trim):
        return f'"trim" must be {_TYPE_NAMES[tuple]}'
    start, end = trim
    if not 0 <= start < end < math.inf:  # type: ignore[operator]
        return '"trim" must begin at 0 or later, and end after its beginning'
    return None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _field_fault(fields: dict[str, Any]) -> str | None:
    for name, kind in _FIELDS.items():
        value = fields.get(name)
        if value is None:
            if name in ("audio_path", "text"):
                return f'has no "{name}"'
            continue
        if not isinstance(value, _ACCEPTED.get(kind, (kind,))) or (isinstance(value, bool) and kind is not bool):
            return f'"{name}" must be {_TYPE_NAMES[kind]}'
        if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
            return f'"{name}" holds half a character, which cannot be saved'
    if not 0 <= (fields.get("duration") or 0) < math.inf:
        return '"duration" must be seconds'
    if fields.get("trim") is not None and (fault := trim_fault(fields["trim"])):
        return fault
    if fields.get("id") == "":
        return '"id" is empty'
    try:
        check_language(fields.get("language") or "en")
    except ValueError as error:
        return f'"language": {error}'
    return None
