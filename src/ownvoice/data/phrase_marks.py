"""What a person said of phrases: skipped, hidden, too hard, starred. A line each time; the last one of a phrase counts.

Whether a phrase is recorded is told by the manifest, and which phrases are shown in which order by ``phrases/``.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ownvoice.data import journal
from ownvoice.data.utterance import is_json_object
from ownvoice.errors import DataError
from ownvoice.rundir import VoiceFolder

Mark = Literal["todo", "skipped", "hidden", "too_hard", "starred", "unstarred"]
"""``todo`` takes back skipped, hidden and too hard; a star is apart from these."""

MAX_ID = 200
"""Characters of a phrase's id; the longest of the banks has 12."""


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    phrase_id: str = Field(min_length=1, max_length=MAX_ID)
    mark: Mark


class PhraseMarks(BaseModel):
    """The marks of a voice's phrases as they are now."""

    model_config = ConfigDict(frozen=True)

    states: dict[str, Literal["skipped", "hidden", "too_hard"]] = {}
    starred: frozenset[str] = frozenset()

    def of(self, state: Literal["skipped", "hidden", "too_hard"]) -> frozenset[str]:
        """Ids of the phrases in this state."""
        return frozenset(phrase_id for phrase_id, found in self.states.items() if found == state)


def mark_phrase(voice: VoiceFolder, phrase_id: str, mark: Mark) -> None:
    """Add a mark, synced to disk on return; safe with other processes doing the same.

    Raises
    ------
    DataError
        when the id is empty or too long, or there is no such mark.
    StorageError
        when the disk is full or the folder cannot be written.
    """
    try:
        line = _Line(phrase_id=phrase_id, mark=mark)
    except ValidationError:
        marks = ", ".join(get_args(Mark))
        raise DataError(f"{phrase_id[:40]!r} cannot be marked {mark!r}", mend=f"Marks are {marks}.") from None
    at = datetime.now(UTC).isoformat(timespec="seconds")
    raw = json.dumps({**line.model_dump(), "at": at}, ensure_ascii=False).encode() + b"\n"
    with journal.locked(voice.lock):
        journal.mend_tail(voice.phrase_marks, voice.torn_lines, is_json_object)
        journal.append(voice.phrase_marks, raw)


def read_marks(voice: VoiceFolder) -> PhraseMarks:
    """The marks as they are now; lines that are none, such as one that was cut off, are passed over."""
    states: dict[str, Literal["skipped", "hidden", "too_hard"]] = {}
    starred: set[str] = set()
    try:
        content = voice.phrase_marks.read_bytes()
    except FileNotFoundError:
        content = b""
    for raw in content.splitlines():
        try:
            line = _Line.model_validate_json(raw)
        except ValidationError:
            continue
        match line.mark:
            case "starred":
                starred.add(line.phrase_id)
            case "unstarred":
                starred.discard(line.phrase_id)
            case "todo":
                states.pop(line.phrase_id, None)
            case mark:
                states[line.phrase_id] = mark
    return PhraseMarks(states=states, starred=frozenset(starred))
