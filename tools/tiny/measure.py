"""What the built-in model hears, through the package's own front door: full windows, its own processor.

    python tools/tiny/measure.py

Prints word error rates on phrases no voice has spoken to it: in the voices it learned from, with several phrases in one
window, in voices it never heard (flite's slt and rms, espeak's whisper), and on the sample voice.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from pathlib import Path

import jiwer
import numpy as np
import synthesis
from corpus import make_clip, test_phrases

from ownvoice.data.audio import load_audio
from ownvoice.model.load import load_recogniser
from ownvoice.model.transcribe import transcribe_clips

SAMPLE_VOICE = Path("src/ownvoice/model/tiny/sample_voice")
NEW_VOICES = {
    "flite slt": synthesis.Voice("flite", "slt", 1.1, 170),
    "flite rms": synthesis.Voice("flite", "rms", 1.1, 100),
    "espeak whisper": synthesis.Voice("espeak", "en-us+whisper", 150, 50),
}


def known_voices(several: bool) -> Iterable[tuple[np.ndarray, str]]:
    """Held-out phrases in the training voices, recorded as in training."""
    for number in range(200):
        if not several:
            yield make_clip(number, test=True)
            continue
        rng = random.Random(f"several-{number}")
        texts = rng.sample(test_phrases(200), 2 + number % 2)
        signal = synthesis.record(synthesis.several(texts, synthesis.training_voice(rng), rng), rng)
        if signal.size <= 9.6 * synthesis.RATE:
            yield signal, " ".join(texts)


def new_voice(voice: synthesis.Voice) -> Iterable[tuple[np.ndarray, str]]:
    for text in test_phrases(100):
        yield synthesis.speak(text, voice), text


def sample_voice() -> Iterable[tuple[np.ndarray, str]]:
    for line in (SAMPLE_VOICE / "metadata.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield load_audio(SAMPLE_VOICE / row["file_name"]), row["text"]


def main() -> None:
    recogniser = load_recogniser("tiny")
    sets: dict[str, Callable[[], Iterable[tuple[np.ndarray, str]]]] = {
        "known voices, one phrase": lambda: known_voices(False),
        "known voices, several phrases in a window": lambda: known_voices(True),
        **{name: (lambda voice=voice: new_voice(voice)) for name, voice in NEW_VOICES.items()},
        "the sample voice": sample_voice,
    }
    for name, make in sets.items():
        clips = list(make())
        heard = transcribe_clips(recogniser, [signal for signal, _ in clips], language="en")
        rate = jiwer.wer([text for _, text in clips], [text.lower() for text in heard])
        print(f"{name}: {len(clips)} clips, WER {rate:.3f}")


if __name__ == "__main__":
    main()
