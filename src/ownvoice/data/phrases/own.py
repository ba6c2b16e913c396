"""The phrases of a voice's own: what a person typed, pasted or brought, kept beside the recordings.

Knows how they are kept, not how they came about: cutting a text is ``own_text.py``, sentences around names are
``own_words.py``. Only ever added to; what a person no longer wants to see they hide.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict

from ownvoice.data import journal
from ownvoice.data.phrases.bank import Phrase
from ownvoice.errors import ManifestError, storage_faults
from ownvoice.rundir import VoiceFolder, make_folder


def own_phrases(voice: VoiceFolder) -> tuple[Phrase, ...]:
    """The phrases of the voice's own, in the order they were added; none when there are none.

    Raises
    ------
    ManifestError
        naming the first line that is no phrase. A last line that was cut off while being written is passed over.
    """
    try:
        lines = voice.own_phrases.read_bytes().split(b"\n")
    except FileNotFoundError:
        return ()
    return tuple(_phrase(voice, line, number) for number, line in enumerate(lines[:-1], start=1))


def add_own_phrases(voice: VoiceFolder, phrases: Iterable[Phrase]) -> tuple[Phrase, ...]:
    """Add those that are not there yet, synced to disk before this returns; returns them.

    Raises
    ------
    ManifestError
        when the file holds a line that is no phrase.
    StorageError
        when the disk is full or the folder cannot be written.
    """
    with storage_faults(voice.path):
        make_folder(voice.path)
    with journal.locked(voice.lock):
        with storage_faults(voice.own_phrases):
            voice.own_phrases.touch(mode=0o600)
        journal.mend_tail(voice.own_phrases, voice.torn_own_phrases, _is_phrase)
        known = {phrase.id for phrase in own_phrases(voice)}
        new = {phrase.id: phrase for phrase in phrases if phrase.id not in known}
        lines = [json.dumps(asdict(phrase), ensure_ascii=False) + "\n" for phrase in new.values()]
        if lines:
            journal.append(voice.own_phrases, "".join(lines).encode())
    return tuple(new.values())


def _is_phrase(line: bytes) -> bool:
    try:
        Phrase(**json.loads(line))
    except (ValueError, TypeError):
        return False
    return True


def _phrase(voice: VoiceFolder, line: bytes, number: int) -> Phrase:
    if not _is_phrase(line):
        raise ManifestError(
            "is no phrase", where=f"{voice.own_phrases}, line {number}", mend="Delete this line, or correct it."
        )
    return Phrase(**json.loads(line))
