"""Every file name in a voice folder and in a run folder, and how they are written safely.

    VOICE/voice.yaml  VOICE/data.jsonl  VOICE/wavs/  VOICE/takes/ID/  VOICE/phrases.jsonl  VOICE/cache/
    VOICE/uploads/ID/  VOICE/exports/  VOICE/runs/RUN/
    VOICE/published.json  VOICE/sharing.json  VOICE/sharing.txt  RUN/published.json  RUN/remote.json
    VOICE/own_phrases.jsonl  VOICE/mine.json  VOICE/learning_curve.json  VOICE/trackio/  VOICE/../.queue/
    VOICE/search.jsonl
    RUN/config.yaml  RUN/split.json  RUN/events.jsonl  RUN/checkpoints/
    RUN/adapter/ | RUN/model/  RUN/export/FORM/  RUN/evaluation.json  RUN/evaluation.html
    RUN/log.txt

No other module spells these names. What the files mean is told by the module that owns them.
"""

from __future__ import annotations

import errno
import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ownvoice.errors import DataError, TrainingError, storage_faults

_NO_SYNC_OF_FOLDERS = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF}
"""What file systems of sticks, networks and other systems answer that sync files alone."""


@dataclass(frozen=True)
class VoiceFolder:
    """The folder of one voice; every property is a path that may not exist yet."""

    path: Path

    @property
    def settings(self) -> Path:
        return self.path / "voice.yaml"

    @property
    def unreadable_settings(self) -> Path:
        """What was in :attr:`settings` when somebody set them anew because they could not be read."""
        return self.path / "voice.yaml.unreadable"

    @property
    def manifest(self) -> Path:
        return self.path / "data.jsonl"

    @property
    def wavs(self) -> Path:
        return self.path / "wavs"

    @property
    def torn_lines(self) -> Path:
        """Fragments of manifest lines that were cut off while being written: moved here, not thrown away."""
        return self.path / "data.jsonl.torn"

    @property
    def own_phrases(self) -> Path:
        """Phrases that this person brought to read, a line each."""
        return self.path / "own_phrases.jsonl"

    @property
    def torn_own_phrases(self) -> Path:
        """Fragments of its lines, as :attr:`torn_lines`."""
        return self.path / "own_phrases.jsonl.torn"

    @property
    def wav_counter(self) -> Path:
        """The number of the last name given to a recording, so that no name is used twice."""
        return self.wavs / ".last"

    @property
    def lock(self) -> Path:
        """Held while the manifest or the counter is written; empty, and it may stay."""
        return self.path / ".lock"

    @property
    def cache(self) -> Path:
        """Features computed from the recordings: they stay beside them, so that deleting a voice deletes all of it."""
        return self.path / "cache"

    @property
    def takes(self) -> Path:
        """Recordings that are being made, a folder for each (see data/takes.py)."""
        return self.path / "takes"

    @property
    def discarded_takes(self) -> Path:
        """Unfinished takes that the person put aside."""
        return self.takes / ".discarded"

    @property
    def phrase_marks(self) -> Path:
        """Phrases skipped, hidden, too hard or starred, a line each time."""
        return self.path / "phrases.jsonl"

    @property
    def uploads(self) -> Path:
        """Files on their way in, a folder for each batch."""
        return self.path / "uploads"

    @property
    def exports(self) -> Path:
        """Copies of the recordings made for other programs, a folder for each time."""
        return self.path / "exports"

    @property
    def published(self) -> Path:
        """Where the recordings were published, and how."""
        return self.path / "published.json"

    @property
    def sharing(self) -> Path:
        """What the person wants to share from the app, and how far that is."""
        return self.path / "sharing.json"

    @property
    def sharing_lock(self) -> Path:
        """Held by the process that shares."""
        return self.path / ".sharing"

    @property
    def sharing_log(self) -> Path:
        """What that process printed: for a person who looks for a fault."""
        return self.path / "sharing.txt"

    @property
    def runs(self) -> Path:
        return self.path / "runs"

    @property
    def queue(self) -> Path:
        """Runs that wait for their turn; all voices beside this one share it."""
        return self.path.resolve().parent / ".queue"

    @property
    def mine(self) -> Path:
        """Names the run whose model this person uses."""
        return self.path / "mine.json"

    @property
    def learning_curve(self) -> Path:
        """Which runs were trained on a half and a quarter of the recordings."""
        return self.path / "learning_curve.json"

    @property
    def search(self) -> Path:
        """What searches for better settings have tried, as Optuna writes it down."""
        return self.path / "search.jsonl"

    @property
    def tracking(self) -> Path:
        """Trackio's copy of all runs' figures."""
        return self.path / "trackio"

    @property
    def tracking_lock(self) -> Path:
        """Held by the process that serves Trackio's dashboard."""
        return self.tracking / ".lock"

    @property
    def tracking_address(self) -> Path:
        """Where it is served."""
        return self.tracking / "address.txt"

    def require(self) -> VoiceFolder:
        """Return self when there is a manifest, else raise :class:`DataError` saying how to make one."""
        if not self.manifest.is_file():
            raise DataError(
                "this is not a voice folder: it has no data.jsonl",
                where=self.path,
                mend="Give the folder that holds it; ownvoice import SOURCE VOICE makes one.",
            )
        return self

    def new_run(self) -> RunFolder:
        """Create and return an empty run folder named after the time (UTC), unique in this voice."""
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        with storage_faults(self.runs):
            make_folder(self.runs)
            for suffix in ["", *(f"-{number}" for number in range(2, 1000))]:
                path = self.runs / f"{stamp}{suffix}"
                try:
                    path.mkdir(mode=0o700)
                except FileExistsError:
                    continue
                sync_folder(self.runs)
                return RunFolder(path)
        raise DataError("a thousand runs were started in one second", where=self.runs)

    def started_runs(self) -> list[RunFolder]:
        """Every run that has its settings, the one started first first."""
        if not self.runs.is_dir():
            return []
        return [RunFolder(path) for path in sorted(self.runs.iterdir()) if RunFolder(path).config.is_file()]

    def latest_run(self) -> RunFolder | None:
        """The run started last, or None."""
        return next(reversed(self.started_runs()), None)


@dataclass(frozen=True)
class UploadFolder:
    """The folder of one batch of files on their way into a voice."""

    path: Path

    @property
    def log(self) -> Path:
        """What is known of each file, a line a change."""
        return self.path / "log.jsonl"

    @property
    def torn_lines(self) -> Path:
        return self.path / "log.jsonl.torn"

    @property
    def lock(self) -> Path:
        return self.path / ".lock"

    @property
    def draft(self) -> Path:
        """Transcripts a model proposes, as ``ownvoice transcribe --json`` prints them."""
        return self.path / "draft.json"

    @property
    def draft_log(self) -> Path:
        """What that model complained of."""
        return self.path / "draft.log"

    def part(self, number: int) -> Path:
        """A file's bytes as they come in."""
        return self.path / f"{number:04d}.part"

    def wav(self, number: int) -> Path:
        """Its sound, once decoded."""
        return self.path / f"{number:04d}.wav"


@dataclass(frozen=True)
class RunFolder:
    """The folder of one training run; every property is a path that may not exist yet."""

    path: Path

    @property
    def config(self) -> Path:
        return self.path / "config.yaml"

    @property
    def split(self) -> Path:
        return self.path / "split.json"

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def lock(self) -> Path:
        """Held by the process that trains this run."""
        return self.path / ".lock"

    @property
    def job_lock(self) -> Path:
        """Held by the process that the app started for this run, from its waiting in the queue to its evaluation."""
        return self.path / ".job"

    @property
    def wish(self) -> Path:
        """What a person asked a working run to do, until it has done it."""
        return self.path / ".wish"

    @property
    def reserve(self) -> Path:
        """Room kept on the disk while a run works, so that a full disk can still be told of."""
        return self.path / ".reserve"

    @property
    def log(self) -> Path:
        """All that a run printed which the app started: for a person who looks for a fault, read by no program."""
        return self.path / "log.txt"

    @property
    def adapter(self) -> Path:
        return self.path / "adapter"

    @property
    def model(self) -> Path:
        return self.path / "model"

    @property
    def has_model(self) -> bool:
        """Whether anything was trained that can be used."""
        return self.adapter.is_dir() or self.model.is_dir()

    @property
    def evaluation_json(self) -> Path:
        return self.path / "evaluation.json"

    @property
    def evaluation_html(self) -> Path:
        return self.path / "evaluation.html"

    @property
    def published(self) -> Path:
        """Where the model and its demo were published, and how."""
        return self.path / "published.json"

    @property
    def remote(self) -> Path:
        """The rented machine this run is trained on, and what it costs."""
        return self.path / "remote.json"

    def export(self, form: str) -> Path:
        """The trained model in a form for other programs ("merged", "vllm-adapter"...)."""
        return self.path / "export" / form

    @property
    def voice(self) -> VoiceFolder:
        """The voice this run belongs to: ``VOICE/runs/RUN`` lies two folders below it."""
        return VoiceFolder(self.path.parent.parent)

    def require(self) -> RunFolder:
        """Return self when this is a run, else raise :class:`TrainingError`."""
        if not self.config.is_file():
            raise TrainingError(
                "this is not a training run: it has no config.yaml",
                where=self.path,
                mend="Give the folder of a run, for example voices/NAME/runs/20260101-120000.",
            )
        return self


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write ``content`` so that ``path`` holds either its old content or all of the new, also after a power cut.

    Only its owner can read it: nearly every file of a voice or a run tells of a person.

    Raises
    ------
    StorageError
        when the disk is full or the folder cannot be written; ``path`` is then as it was.
    """
    data = content.encode() if isinstance(content, str) else content
    with storage_faults(path):
        make_folder(path.parent)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # with mode 0600
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make ``folder`` and those above it where they do not exist; into the new ones only their owner can look.

    They survive a power cut from then on.

    Raises
    ------
    NotADirectoryError
        when a file stands in its place (``mkdir`` itself calls that ``FileExistsError``, as it does a taken name).
    """
    try:
        for missing in reversed([path for path in (folder, *folder.parents) if not path.is_dir()]):
            missing.mkdir(mode=0o700, exist_ok=True)  # pathlib's own "parents" gives only the last one this mode
            sync_folder(missing.parent)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), error.filename) from None


def sync_folder(folder: Path) -> None:
    """Make a rename or a new file in ``folder`` survive a power cut, where the file system can do so for folders."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders; a rename there is durable by itself
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC_OF_FOLDERS:
            raise
    finally:
        os.close(descriptor)
