"""Recordings to transcripts with one model: files and folders, batched together, in an order that can be gone on with.

How a recording is heard is :mod:`ownvoice.model.recording`'s; here it is found which recordings there are, their
windows are put into common batches, and each window's words are kept as soon as they are known.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ownvoice.config import check_language
from ownvoice.data.audio import AUDIO_SUFFIXES, SAMPLE_RATE, load_audio
from ownvoice.data.journal import append
from ownvoice.errors import AudioError, UsageError
from ownvoice.events import StageProgress

if TYPE_CHECKING:
    from ownvoice.model.load import Recogniser
    from ownvoice.model.recording import Piece, Segment, Transcript

WindowChoice = Literal["auto", "standard", "short"]

_WINDOWS_AT_ONCE = 16
"""Windows gathered from one or several recordings before the model is asked: one full batch."""


@dataclass(frozen=True)
class Heard:
    """One recording, and its transcript or why there is none."""

    path: Path
    transcript: Transcript | None
    error: AudioError | None = None


def find_recordings(paths: Iterable[Path]) -> list[Path]:
    """Files as they are given, folders with every sound file in them and below, by name.

    Raises
    ------
    UsageError
        when a path does not exist, or a folder holds no sound.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise UsageError("there is no such file or folder", where=path)
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(file for file in path.rglob("*") if file.suffix.lower() in AUDIO_SUFFIXES and file.is_file())
        if not inside:
            raise UsageError("there is no sound file in this folder", where=path)
        found += inside
    return found


class WindowJournal:
    """What was heard in each window so far, on disk: a long batch that is stopped goes on where it was.

    A window is known by its samples, the model's files, the language and whether it is a short one, so nothing out of
    date is ever taken.
    """

    def __init__(self, path: Path, model: str, language: str | None, *, short_windows: bool = False) -> None:
        self._path = path
        self._of = f"{_model_identity(model)}:{language}{':short' if short_windows else ''}"
        self._known: dict[str, dict[str, object]] = {}
        with contextlib.suppress(FileNotFoundError):
            for line in path.read_text(encoding="utf-8").splitlines():
                with contextlib.suppress(ValueError, KeyError, TypeError):  # a last line cut off while it was written
                    row = json.loads(line)
                    self._known[row["window"]] = row["segment"]

    def recall(self, piece: Piece) -> Segment | None:
        """What was heard in this window, if it was."""
        from ownvoice.model.recording import Segment

        known = self._known.get(self._key(piece))
        return Segment(**known) if known else None  # type: ignore[arg-type]

    def keep(self, heard: list[tuple[Piece, Segment]]) -> None:
        """Write down what was heard; it is on disk when this returns.

        Raises
        ------
        StorageError
            when the disk is full or the folder cannot be written.
        """
        rows = [{"window": self._key(piece), "segment": dataclasses.asdict(segment)} for piece, segment in heard]
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        append(self._path, ("\n" + lines).encode())  # a line cut off before ends here

    def forget(self) -> None:
        """Remove the journal: everything is finished."""
        self._path.unlink(missing_ok=True)

    def _key(self, piece: Piece) -> str:
        stretch = piece.stretch
        place = f"{self._of}:{stretch.start}:{stretch.end}:{stretch.overlap}:"
        return hashlib.sha256(place.encode() + piece.samples.tobytes()).hexdigest()


def _model_identity(model: str) -> str:
    """Changes whenever a file of the model does."""
    from ownvoice.model.source import find_model

    found = find_model(model)
    digest = hashlib.sha256()
    for folder in (found.base, *([found.adapter] if found.adapter else [])):
        for path in sorted(folder.iterdir()):
            state = path.stat()
            digest.update(f"{path.name}:{state.st_size}:{state.st_mtime_ns};".encode())
    return digest.hexdigest()


def open_recogniser(model: str, language: str | None, window: WindowChoice = "auto") -> tuple[Recogniser, str | None]:
    """Load a model, and decide which language is written into its prompts and in which windows it hears.

    Parameters
    ----------
    model
        ``"tiny"``, a folder with a model, a training run, or a Hub id.
    language
        Two-letter code of what is spoken; left out, the one the model was tuned with, or it is detected.
    window
        Whole windows, or short ones that end soon after the sound, which take a fraction of the time; "auto" is short
        for a run that heard its dev set no worse so, and whole for any other model.

    Raises
    ------
    UsageError
        when ``language`` is no language code.
    ModelError
        when the model cannot be loaded.
    """
    if language is not None:
        try:
            check_language(language)
        except ValueError as error:
            raise UsageError(str(error), where="--language") from None
    from ownvoice.model.load import load_recogniser

    recogniser = load_recogniser(model)
    if window != "auto":
        recogniser.short_windows = window == "short"
    return recogniser, language or recogniser.language


def open_transcriber(model: str, language: str | None, window: WindowChoice = "auto") -> FileTranscriber:
    """Load a model once, for files of any length; parameters and errors are those of :func:`open_recogniser`."""
    return FileTranscriber(*open_recogniser(model, language, window))


@dataclass
class _Open:
    """A recording some of whose windows are still to be heard."""

    path: Path
    seconds: float = 0.0
    segments: list[Segment | None] = field(default_factory=list)
    error: AudioError | None = None


class FileTranscriber:
    """A loaded model that hears files."""

    def __init__(self, recogniser: Recogniser, language: str | None) -> None:
        self._recogniser = recogniser
        self.language = language
        self.short_windows = recogniser.short_windows

    def __call__(self, path: Path) -> Transcript:
        """The transcript of one file.

        Raises
        ------
        AudioError
            when it cannot be read.
        """
        from ownvoice.model.recording import transcribe_long

        return transcribe_long(self._recogniser, load_audio(path), self.language)

    def each(
        self, paths: Iterable[Path], *, journal: WindowJournal | None = None, progress: StageProgress
    ) -> Iterator[Heard]:
        """The transcripts of many files, in their order, each as soon as it is known; windows share batches.

        Progress is counted in windows, as many as are known so far. A file that cannot be read does not stop the
        others.

        Raises
        ------
        StorageError
            when the journal cannot be written.
        """
        opened: deque[_Open] = deque()
        waiting: list[tuple[_Open, int, Piece]] = []
        known = 0
        for path in paths:
            recording = self._open(path, journal, waiting)
            opened.append(recording)
            known += len(recording.segments)
            while len(waiting) >= _WINDOWS_AT_ONCE:
                self._hear(waiting[:_WINDOWS_AT_ONCE], journal)
                del waiting[:_WINDOWS_AT_ONCE]
                progress("Listening", known - len(waiting), None)
            yield from self._finished(opened)
        done = known - len(waiting)
        for start in range(0, len(waiting), _WINDOWS_AT_ONCE):
            group = waiting[start : start + _WINDOWS_AT_ONCE]
            self._hear(group, journal)
            done += len(group)
            progress("Listening", done, known)
            yield from self._finished(opened)

    def _open(self, path: Path, journal: WindowJournal | None, waiting: list[tuple[_Open, int, Piece]]) -> _Open:
        from ownvoice.model.recording import cut

        recording = _Open(path)
        try:
            samples = load_audio(path)
        except AudioError as error:
            recording.error = error
            return recording
        recording.seconds = samples.size / SAMPLE_RATE
        for place, piece in enumerate(cut(self._recogniser, samples)):
            recording.segments.append(journal.recall(piece) if journal else None)
            if recording.segments[place] is None:
                waiting.append((recording, place, piece))
        return recording

    def _hear(self, group: list[tuple[_Open, int, Piece]], journal: WindowJournal | None) -> None:
        from ownvoice.model.recording import hear

        segments = hear(self._recogniser, [piece for _, _, piece in group], self.language)
        for (recording, place, _), segment in zip(group, segments, strict=True):
            recording.segments[place] = segment
        if journal is not None:
            journal.keep([(piece, segment) for (_, _, piece), segment in zip(group, segments, strict=True)])

    def _finished(self, opened: deque[_Open]) -> Iterator[Heard]:
        from ownvoice.model.recording import Transcript, join

        while opened and None not in opened[0].segments:
            recording = opened.popleft()
            if recording.error is not None:
                yield Heard(recording.path, None, recording.error)
                continue
            segments = tuple(join(segment for segment in recording.segments if segment is not None))
            yield Heard(recording.path, Transcript(segments, recording.seconds, self.language))
