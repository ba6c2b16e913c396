"""One take on disk while it is being spoken: what is read, and the samples so far at the microphone's rate.

    ID/take.json    fixed when the take begins, but for the words of an answer in free speech
    ID/audio.wav    synced after each part; playable as it is, whatever becomes of this program

Knows neither the voice nor the manifest, and takes no lock: that is ``takes.py``'s.
"""

from __future__ import annotations

import os
import secrets
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ownvoice.config import check_language
from ownvoice.data import journal
from ownvoice.data.audio import RATES, convert_to_wav
from ownvoice.data.decoders import STREAMED_SIZE
from ownvoice.data.importers.tables import check_text
from ownvoice.data.utterance import LONGEST_TEXT
from ownvoice.errors import AudioError, DataError
from ownvoice.quantities import counted
from ownvoice.rundir import sync_folder, write_atomically

MAX_SECONDS = 600
"""Of one take: ten minutes are a long story; a microphone left on over night would fill the disk."""

_GRACE_SECONDS = 5
"""What is on its way when the page stops at the limit still comes in."""

DRAFT = "draft"
"""What a model had written before the person corrected it, in the ``extra`` of take and utterance."""

_TAKE = "take.json"
_HEADER_BYTES = 44
_SAMPLE_BYTES = 2


class SamplesMissingError(DataError):
    """Samples that come before those sent are not here yet; ``stored`` says how many are."""

    def __init__(self, stored: int) -> None:
        self.stored = stored
        super().__init__(
            f"only {counted(stored, 'sample is', 'samples are')} here so far", mend="Send the ones after them again."
        )


class TakeTooLongError(DataError):
    """The take is at its limit; what came before is kept."""


@dataclass(frozen=True)
class Take:
    """What is known of a take from its beginning."""

    id: str
    text: str
    """What is read; empty of an answer in free speech, until somebody has written down what was said."""
    sample_rate: int
    started: str
    """ISO 8601 time."""
    phrase_id: str | None = None
    language: str | None = None
    number: int | None = None
    """Which attempt at its phrase this is, from 1."""
    replaces: str | None = None
    """Id of the utterance it is recorded in place of."""
    extra: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What its line keeps of the phrase's origin (see ``phrases/source.py``)."""


def new_take(
    text: str,
    sample_rate: int,
    *,
    phrase_id: str | None = None,
    language: str | None = None,
    number: int | None = None,
    replaces: str | None = None,
    extra: Mapping[str, str] | None = None,
    is_answer: bool = False,
) -> Take:
    """A take that begins now, with an id of its own: the time (UTC) and a few random digits.

    Parameters
    ----------
    is_answer
        Whether somebody speaks freely: then there need be no text before :meth:`TakeFolder.word`.

    Raises
    ------
    DataError
        when its line could not be written in the end: the text is empty, too long or cannot be saved, the language is
        none; or when the rate cannot be speech.
    """
    text = "" if is_answer and not text else _fit(text)
    if sample_rate not in RATES:
        raise DataError(f"{sample_rate} samples a second cannot be speech", mend="Choose another microphone.")
    try:
        check_language(language or "en")
    except ValueError as error:
        raise DataError(str(error), mend="Choose a language in the settings of this voice.") from None
    now = datetime.now(UTC)
    name = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
    started = now.isoformat(timespec="milliseconds")
    return Take(name, text, sample_rate, started, phrase_id, language, number, replaces, extra or {})


def _fit(text: str) -> str:
    """``text`` as a line of the manifest can hold it."""
    text = check_text(text)
    if len(text) > LONGEST_TEXT:
        raise DataError(f"the text is longer than {LONGEST_TEXT} characters", mend="Cut it into shorter phrases.")
    return text


@dataclass(frozen=True)
class TakeFolder:
    """The folder of one take."""

    path: Path

    @property
    def _audio(self) -> Path:
        return self.path / "audio.wav"

    def create(self, take: Take) -> None:
        """Make the folder, whole or not at all, with no sound in it yet."""
        new = self.path.with_name(f".new-{self.path.name}")
        new.mkdir(mode=0o700)
        write_atomically(new / _TAKE, TypeAdapter(Take).dump_json(take, indent=1))
        journal.append(new / self._audio.name, _wav_header(take.sample_rate, STREAMED_SIZE))
        new.rename(self.path)
        sync_folder(self.path.parent)

    def read(self) -> Take:
        """What is known of the take.

        Raises
        ------
        DataError
            when it cannot be read.
        """
        path = self.path / _TAKE
        try:
            return TypeAdapter(Take).validate_json(path.read_bytes())
        except (OSError, ValidationError):
            raise DataError("does not describe a take any more", where=path, mend="Move its folder away.") from None

    def word(self, text: str, draft: str) -> None:
        """Write down what was said, beside what a model had made of it; on disk on return.

        Raises
        ------
        DataError
            when the text is empty, too long or cannot be saved.
        """
        take = self.read()
        worded = replace(take, text=_fit(text), extra={**take.extra, DRAFT: draft} if draft else take.extra)
        if worded != take:
            write_atomically(self.path / _TAKE, TypeAdapter(Take).dump_json(worded, indent=1))

    def is_whole(self) -> bool:
        """Whether one can go on with it: what is read is known, and there is a file for its sound.

        Always so of what was made here; not where a copy, a sync program or a disk lost a part of it.
        """
        try:
            self.read()
            return self._audio.stat().st_size >= _HEADER_BYTES
        except (DataError, OSError):
            return False

    def samples(self) -> int:
        """How many are on disk; half a one, of a write that was cut off, is cut away."""
        size = self._audio.stat().st_size - _HEADER_BYTES
        if size % _SAMPLE_BYTES:
            os.truncate(self._audio, _HEADER_BYTES + size - size % _SAMPLE_BYTES)
        return size // _SAMPLE_BYTES

    def quiet_seconds(self) -> float:
        """How long ago the last samples came; by a clock that was set back since, how far it was."""
        return abs(time.time() - self._audio.stat().st_mtime)

    def append(self, at: int, data: bytes) -> int:
        """Add mono PCM16 samples, of which the first is number ``at``, but those here already; returns how many are.

        Raises
        ------
        SamplesMissingError, TakeTooLongError, DataError, StorageError
            as :meth:`ownvoice.data.takes.Takes.append`.
        """
        if at < 0 or len(data) % _SAMPLE_BYTES:
            raise DataError("this part is not whole samples of 16 bits", mend="Reload the page.")
        stored = self.samples()
        if at > stored:
            raise SamplesMissingError(stored)
        new = data[(stored - at) * _SAMPLE_BYTES :]
        total = stored + len(new) // _SAMPLE_BYTES
        if total > (MAX_SECONDS + _GRACE_SECONDS) * self.read().sample_rate:
            raise TakeTooLongError(
                f"one recording can last {MAX_SECONDS // 60} minutes, and this one does",
                mend="Stop it to keep what is there, and begin another.",
            )
        if new:
            journal.append(self._audio, new)
        return total

    def wav(self) -> bytes:
        """What is here so far, as the content of a WAV file that states its length."""
        size = self.samples() * _SAMPLE_BYTES
        return _wav_header(self.read().sample_rate, size) + self._audio.read_bytes()[_HEADER_BYTES:][:size]

    def convert(self) -> tuple[Path, float]:
        """Make a 16 kHz mono PCM16 file of it in this folder; returns its path and its seconds.

        Raises
        ------
        AudioError
            when it holds no sound.
        StorageError
            when the disk is full.
        """
        converted = self.path / "converted.wav"
        converted.unlink(missing_ok=True)
        if not self.samples():
            raise AudioError("nothing came from the microphone", mend="Check the microphone and record it again.")
        return converted, convert_to_wav(self._audio, converted)


def _wav_header(sample_rate: int, size: int) -> bytes:
    """Of a mono PCM16 WAV file with ``size`` bytes of samples; ``STREAMED_SIZE`` where that is not known yet."""
    chunk = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, sample_rate, sample_rate * _SAMPLE_BYTES, _SAMPLE_BYTES, 16)
    return struct.pack("<4sI4s", b"RIFF", size + 36, b"WAVE") + chunk + struct.pack("<4sI", b"data", size)
