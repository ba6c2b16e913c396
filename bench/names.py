"""Names a model never heard: from a list to sentences, recordings, training, and "names right" in the report.

    python bench/names.py [--epochs N] [--seed N] [--voice FOLDER] [--json]

Twenty names are put into four sentences each, and a simulated voice reads them. The built-in model is trained on most
of them and judged on sentences kept apart, at least one for each name. It knows 584 words and writes small letters
without marks, so transcripts are written that way. Needs espeak-ng.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from real_speech import BenchError, ownvoice

sys.path.insert(0, str(Path(__file__).parent.parent / "tools" / "tiny"))

import synthesis

from ownvoice.config import VoiceSettings
from ownvoice.data.audio import write_wav
from ownvoice.data.manifest import append_utterances
from ownvoice.data.phrases.own import add_own_phrases
from ownvoice.data.phrases.own_words import phrases_about
from ownvoice.data.phrases.source import provenance
from ownvoice.data.split import fold_text
from ownvoice.data.utterance import Utterance
from ownvoice.data.voice_settings import write_voice_settings
from ownvoice.rundir import VoiceFolder

NAMES = [
    "Anton", "Armando", "Augusto", "Banks", "Carla", "Carson", "Forrest", "Rivers", "Roberto", "Anna Silver",
    "David Brown", "Emma Castle", "Julia Green", "Lucy Church", "Maria May", "Martin Grey", "Peter March", "Sam White",
    "Sophie Black", "Tom Bridge",
]  # fmt: skip
"""Made of pieces of words that the built-in model was taught to write, since it can write no others."""

SPEAKER = synthesis.Voice("espeak", "en-us+whisper", 150, 50)
"""Never heard by the built-in model."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--voice", type=Path, metavar="FOLDER", help="keep the voice and its run here")
    parser.add_argument("--json", action="store_true", help="print the evaluation's names as JSON")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder:
            names = judge_names(VoiceFolder(options.voice or Path(folder, "voice")), options.epochs, options.seed)
    except BenchError as error:
        sys.exit(f"names: {error}")
    said, before, after = (sum(name[key] for name in names) for key in ("said", "base_right", "tuned_right"))
    print(json.dumps(names) if options.json else f"names right: {before} of {said} before, {after} of {said} now")


def judge_names(voice: VoiceFolder, epochs: int, seed: int) -> list[dict[str, int]]:
    """The counts of each name in the evaluation of a run on ``voice``, which is made here."""
    write_voice_settings(voice, VoiceSettings(language="en"))
    phrases = add_own_phrases(voice, phrases_about(NAMES, "en"))
    rows = []
    for number, phrase in enumerate(phrases, start=1):
        path = f"wavs/{number:04}.wav"
        write_wav(voice.path / path, synthesis.trim(synthesis.speak(phrase.text, SPEAKER)))
        rows.append(Utterance(path, fold_text(phrase.text), phrase_id=phrase.id, extra=provenance(phrase)))
    append_utterances(voice, rows)
    trained = ownvoice(
        "train", voice.path, "--base-model", "tiny", "--epochs", str(epochs), "--seed", str(seed), "--batch-size", "8"
    )
    names: list[dict[str, int]] = ownvoice("evaluate", trained["run"])["names"]
    return names


if __name__ == "__main__":
    main()
