"""Builds voice folders for tests: real files, with sound that has some structure and words nobody said."""

from __future__ import annotations

from pathlib import Path

from ownvoice.config import VoiceSettings
from ownvoice.data.audio import write_wav
from ownvoice.data.manifest import append_utterances
from ownvoice.data.utterance import Utterance
from ownvoice.data.voice_settings import write_voice_settings
from ownvoice.rundir import VoiceFolder
from small_voxtral import murmur

WORDS = ("tea", "please", "window", "open", "tomorrow", "doctor", "garden", "light", "music", "water", "door", "call")


def make_voice(folder: Path, utterances: int = 12, *, seconds: float = 0.9, language: str = "en") -> VoiceFolder:
    """A voice of ``utterances`` recordings, each with words of its own, that ``ownvoice check`` finds no fault with."""
    voice = VoiceFolder(folder)
    folder.mkdir(parents=True)
    write_voice_settings(voice, VoiceSettings(language=language))
    rows = []
    for number in range(utterances):
        name = f"wavs/{number + 1:04}.wav"
        write_wav(voice.path / name, murmur(seconds, seed=number))
        first, second = WORDS[number % len(WORDS)], WORDS[(number * 5 + number // len(WORDS) + 1) % len(WORDS)]
        rows.append(Utterance(name, f"{first} {second} {number + 1}"))
    append_utterances(voice, rows)
    return voice
