"""The one way to an utterance's sound: its file, and the part of it that counts.

Training, judging, checking and publishing all load through here, so that a trim holds for each of them. Does not decode
(``audio.py``) and does not decide what is trimmed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ownvoice.data.audio import SAMPLE_RATE, Samples, load_audio
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
