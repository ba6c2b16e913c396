"""Recordings on their way from the microphone into a voice: begun, added to while somebody speaks, saved exactly once.

An unfinished take is a folder in ``VOICE/takes/``; a saved one is a line of the manifest with the take's id. Between
the two, :meth:`Takes.finish` puts ``wavs/ID.wav`` in place, then adds the line, then removes the folder. Killed on that
way, the next one who looks goes on: a recording without its line gets it, the folder of a line is removed. Any number
of processes may record into one voice. What a recording sounds like is judged in ``hints.py``.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ownvoice.data import journal
from ownvoice.data.manifest import append_utterances, scan_manifest
from ownvoice.data.take_folder import SamplesMissingError, Take, TakeFolder
from ownvoice.data.utterance import Utterance
from ownvoice.errors import DataError, OwnvoiceError, StorageError, storage_faults
from ownvoice.rundir import VoiceFolder, make_folder, sync_folder

MAX_UNFINISHED = 50
"""Takes begun and neither saved nor discarded, in one voice; more than a person's bad connection makes."""

SOURCE = "recorder"
"""The ``source`` of utterances that were recorded here."""

_SILENT_FOR = timedelta(days=1)
"""A take begun this long ago that never got a sample was begun twice over a bad connection, and is swept away."""

_LIVE_SECONDS = 5.0
"""A page sends twice a second; a take that grew this lately may still be spoken, in this browser or another one."""

_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")


class NoSuchTakeError(DataError):
    """There is no unfinished take of this id."""


@dataclass(frozen=True)
class UnfinishedTake:
    """A take that was never finished: the page was closed, the connection lost."""

    take: Take
    seconds: float
    is_live: bool
    """Whether somebody may still be recording it."""


class Takes:
    """The takes of one voice on disk. Holds nothing in memory, so that any process may ask.

    Every method raises :class:`~ownvoice.errors.StorageError` when the disk is full or the voice cannot be written;
    what was there before still is.
    """

    def __init__(self, voice: VoiceFolder) -> None:
        self.voice = voice

    def start(self, take: Take) -> None:
        """Begin ``take``, of which nothing is heard yet.

        Raises
        ------
        DataError
            when too many takes are unfinished.
        """
        with self._locked():
            self._settle()
            if len(self._folders()) >= MAX_UNFINISHED:
                mend = "Keep or discard some of them first."
                raise DataError(f"{MAX_UNFINISHED} recordings are unfinished", where=self.voice.takes, mend=mend)
            self._folder(take.id).create(take)

    def append(self, take_id: str, at: int, data: bytes) -> int:
        """Add mono PCM16 samples, little-endian, of which the first is number ``at``; they are synced on return.

        Samples that are here already are not added again, so a part may be sent twice. Returns how many are here.

        Raises
        ------
        NoSuchTakeError
            when there is no such take, or it is finished.
        SamplesMissingError
            when ``at`` is beyond what is here.
        TakeTooLongError
            beyond :data:`~ownvoice.data.take_folder.MAX_SECONDS`.
        DataError
            when ``data`` holds half a sample.
        """
        with self._locked():
            return self._existing(take_id).append(at, data)

    def finish(
        self, take_id: str, samples: int | None = None, *, text: str | None = None, draft: str = ""
    ) -> Utterance:
        """Save a take: its recording, then its line, both on disk on return. Asked again, the same answer.

        Parameters
        ----------
        samples
            How many there must be; None to take what is there, after a connection was lost for good.
        text
            What was said, where that was not known before.
        draft
            What a model had made of it.

        Raises
        ------
        NoSuchTakeError
            when there is no such take, neither unfinished nor saved.
        SamplesMissingError
            when fewer are here.
        AudioError
            when it holds no sound at all.
        DataError
            when nobody has told its words, or they cannot be saved; the take stays as it is.
        """
        with self._locked():
            try:
                folder = self._existing(take_id)
            except NoSuchTakeError:
                if saved := self._line_of(take_id):
                    return saved
                raise
            stored = folder.samples()
            if samples is not None and stored < samples:
                raise SamplesMissingError(stored)
            if text is not None:
                folder.word(text, draft)
            if not folder.read().text:
                raise DataError("nobody has written down what was said", mend="Write it, then keep the recording.")
            return self._save(folder)

    def discard(self, take_id: str) -> None:
        """Put an unfinished take aside; :meth:`undiscard` takes it back.

        Raises
        ------
        NoSuchTakeError
            when there is none of that id, or it turns out to have been saved.
        """
        with self._locked():
            self._settle()
            self._move(self._existing(take_id).path, self.voice.discarded_takes / take_id)

    def undiscard(self, take_id: str) -> None:
        """Take a discarded take back among the unfinished.

        Raises
        ------
        NoSuchTakeError
            when none of that id was discarded.
        """
        with self._locked():
            folder = self.voice.discarded_takes / take_id
            if not _ID.fullmatch(take_id) or not folder.is_dir():
                raise NoSuchTakeError("there is no such discarded recording", mend="Reload the page.")
            self._move(folder, self.voice.takes / take_id)

    def unfinished(self) -> list[UnfinishedTake]:
        """Takes that hold sound and were never finished, the oldest first.

        What a killed process left half done is first brought to its end: see the module. Damaged ones are left where
        they are, and named by ``check.py``.
        """
        if not self.voice.takes.is_dir():
            return []
        with self._locked():
            self._settle()
            found = [(folder.read(), folder.samples(), folder.quiet_seconds()) for folder in self._folders()]
        return [
            UnfinishedTake(take, samples / take.sample_rate, quiet < _LIVE_SECONDS)
            for take, samples, quiet in found
            if samples
        ]

    def wav(self, take_id: str) -> bytes:
        """What an unfinished take holds so far, as the content of a WAV file.

        Raises
        ------
        NoSuchTakeError
            when there is none of that id.
        """
        with self._locked():
            return self._existing(take_id).wav()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold this voice's takes against other processes and threads."""
        with storage_faults(self.voice.takes):
            make_folder(self.voice.takes)
        with journal.locked(self.voice.takes / ".lock"), storage_faults(self.voice.takes):
            yield

    def _folders(self) -> list[TakeFolder]:
        """Of unfinished takes, the oldest first."""
        return [folder for folder in take_folders(self.voice) if folder.is_whole()]

    def _folder(self, take_id: str) -> TakeFolder:
        return TakeFolder(self.voice.takes / take_id)

    def _existing(self, take_id: str) -> TakeFolder:
        folder = self._folder(take_id)
        if not _ID.fullmatch(take_id) or not folder.is_whole():
            raise NoSuchTakeError("there is no such unfinished recording", mend="Reload the page.")
        return folder

    def _settle(self) -> None:
        """Bring to its end what a killed process left half done."""
        for leftover in (*self.voice.takes.glob(".new-*"), *self.voice.takes.glob(".removed-*")):
            shutil.rmtree(leftover)
        for folder in self._folders():
            if self._recording(folder.path.name).exists():
                with contextlib.suppress(StorageError):  # still unfinished, and shown as that
                    self._save(folder)
            elif not folder.samples() and _age(folder.path.name) > _SILENT_FOR:
                self._remove(folder)

    def _save(self, folder: TakeFolder) -> Utterance:
        """Recording, line, and the folder gone; goes on wherever an earlier one was killed."""
        take = folder.read()
        target = self._recording(take.id)
        utterance = self._line_of(take.id) if target.exists() else None
        if utterance is None:
            converted, seconds = folder.convert()
            make_folder(self.voice.wavs)
            converted.replace(target)
            sync_folder(self.voice.wavs)
            utterance = _utterance(take, f"{self.voice.wavs.name}/{target.name}", seconds)
            try:
                append_utterances(self.voice, [utterance])
            except OwnvoiceError:
                target.unlink()  # its samples are still in the take
                raise
        self._remove(folder)
        return utterance

    def _remove(self, folder: TakeFolder) -> None:
        removed = folder.path.with_name(f".removed-{folder.path.name}")
        folder.path.rename(removed)  # at once, so that a kill leaves no half of it that looks like a take
        shutil.rmtree(removed)

    def _recording(self, take_id: str) -> Path:
        return self.voice.wavs / f"{take_id}.wav"

    def _line_of(self, take_id: str) -> Utterance | None:
        """The saved utterance of a take. Reads the whole manifest, so it is asked only where something went wrong."""
        if not _ID.fullmatch(take_id) or not self.voice.manifest.exists():
            return None
        everything = scan_manifest(self.voice).everything
        return next((utterance for _, utterance in everything if utterance.id == take_id), None)

    def _move(self, source: Path, target: Path) -> None:
        target.parent.mkdir(mode=0o700, exist_ok=True)
        source.rename(target)
        sync_folder(source.parent)
        sync_folder(target.parent)


def take_folders(voice: VoiceFolder) -> list[TakeFolder]:
    """Of all unfinished takes of ``voice``, damaged or not, the oldest first."""
    paths = sorted(voice.takes.iterdir()) if voice.takes.is_dir() else []
    return [TakeFolder(path) for path in paths if _ID.fullmatch(path.name)]


def _utterance(take: Take, audio_path: str, seconds: float) -> Utterance:
    return Utterance(
        audio_path=audio_path,
        text=take.text,
        id=take.id,
        language=take.language,
        source=SOURCE,
        duration=round(seconds, 3),
        take=take.number,
        phrase_id=take.phrase_id,
        created=take.started,
        replaces=take.replaces,
        extra=take.extra,
    )


def _age(take_id: str) -> timedelta:
    return datetime.now(UTC) - datetime.strptime(take_id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
