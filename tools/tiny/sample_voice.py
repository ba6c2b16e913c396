"""Speaks the sample voice that ships with ownvoice: one person nobody has trained on, hard to understand.

    python tools/tiny/sample_voice.py src/ownvoice/model/tiny/sample_voice

The speaker is flite's "slt", which the built-in model never heard, made slow and slurred, with blocks and repeated
onsets. It is synthetic and says so in its README; it stands in for atypical speech and imitates no condition.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import soundfile
import synthesis
from phrases import sentence

CLIPS = 180
SPEAKER = synthesis.Voice("flite", "slt", tempo=1.25, pitch=150)
README = """# Sample voice

Synthetic speech, made by `tools/tiny/sample_voice.py` with flite's voice "slt" (Carnegie Mellon University, free for
any use) and effects that make it slow and slurred, with blocks and repeated onsets.

It stands in for atypical speech in the demo and the tests. It is no recording of a person and imitates no condition.
Transcripts hold the intended words.
"""


def speak_sample(folder: Path, seed: int) -> None:
    """Write ``metadata.jsonl`` (file_name, text), ``clips/*.ogg`` and a README that says what this is."""
    rng = random.Random(seed)
    texts: set[str] = set()
    while len(texts) < CLIPS:
        text = sentence(rng)
        if 3 <= len(text.split()) <= 9:
            texts.add(text)
    (folder / "clips").mkdir(parents=True, exist_ok=True)
    rows = []
    for number, text in enumerate(sorted(texts), 1):
        signal = synthesis.slur(synthesis.trim(synthesis.speak(text, SPEAKER)), rng)
        signal = 0.5 * signal / abs(signal).max()
        name = f"clips/{number:03}.ogg"
        soundfile.write(folder / name, signal, synthesis.RATE, format="OGG", subtype="VORBIS", compression_level=0.7)
        rows.append({"file_name": name, "text": text})
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "README.md").write_text(README, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    speak_sample(arguments.folder, arguments.seed)
