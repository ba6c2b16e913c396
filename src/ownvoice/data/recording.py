"""The one way to an utterance's sound: its file, and the part of it that counts.

Training, judging, checking and publishing all load through here, so that a trim holds for each of them. Does not decode
(``audio.py``) and does not decide what is trimmed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ownvoice.data.audio import AUDIO_SUFFIXES, SAMPLE_RATE, Samples, load_audio
from ownvoice.data.manifest import audio_file
from ownvoice.data.utterance import Utterance
from ownvoice.errors import AudioError
from ownvoice.rundir import VoiceFolder


@dataclass(frozen=True)
class Recording:
    """A sound file, of which perhaps only a part counts."""

    path: Path
    trim: tuple[float, float] | None = None
    """Start and end in seconds; None for all of it."""

    @property
    def name(self) -> str:
        """The file's name, without its folder."""
        return self.path.name

    def __str__(self) -> str:
        return str(self.path)


AudioSource = Path | Recording
"""A whole file, or a recording with its trim."""


def unnamed_recordings(voice: VoiceFolder, everything: Iterable[Utterance]) -> list[PurePosixPath]:
    """Sound files of a voice, as paths in it, that none of its utterances names: what is said in them is not known."""
    named = {PurePosixPath(utterance.audio_path) for utterance in everything}
    files = (path for path in sorted(voice.wavs.rglob("*")) if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file())
    paths = (PurePosixPath(path.relative_to(voice.path).as_posix()) for path in files)
    return [path for path in paths if path not in named]


def recording_of(voice: VoiceFolder, utterance: Utterance) -> Recording:
    """The recording of an utterance, whose file may not exist.

    Raises
    ------
    ManifestError
        when it would lie outside the voice folder.
    """
    return Recording(audio_file(voice, utterance), utterance.trim)


def load_recording(source: AudioSource) -> Samples:
    """Decode the part of ``source`` that counts: float32 of shape (samples,), 16 kHz mono, full scale at -1 and 1.

    Raises
    ------
    AudioError
        as :func:`ownvoice.data.audio.load_audio`, or when its trim leaves nothing of it.
    """
    if isinstance(source, Path):
        return load_audio(source)
    samples = load_audio(source.path)
    if source.trim is None:
        return samples
    start, end = (round(edge * SAMPLE_RATE) for edge in source.trim)
    if not len(kept := samples[start:end]):
        message = f"its trim, from {source.trim[0]:g} to {source.trim[1]:g} s, leaves nothing of it"
        raise AudioError(message, where=source.path, mend="Correct or take away its trim.")
    return kept
