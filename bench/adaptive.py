"""Which phrases to record next: chosen by the model's errors, in coverage order, or at random.

    python bench/adaptive.py [--seeds 0 1 2 3 4] [--first N] [--more N] [--epochs N] [--json FILE]

In each trial a simulated voice that the built-in model never heard records the first phrases in coverage order. The
model as it is hears them, and its errors choose the next ones in one of the arms. Then the model is trained on the
first phrases and each arm's next ones, with the same settings, dev phrases and seed, and judged on the same held-out
phrases. Pool and test phrases are of the world the built-in model knows (tools/tiny/phrases.py).
Needs espeak-ng and flite.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).parent.parent / "tools" / "tiny"))
sys.path.insert(0, str(Path(__file__).parent.parent / "tools" / "phrases"))

import synthesis
from order import coverage_order
from phones import phones_of
from phrases import held_out, sentence, vocabulary

from ownvoice.config import TrainingSettings
from ownvoice.data.audio import load_audio
from ownvoice.data.importers import import_recordings
from ownvoice.data.manifest import read_manifest
from ownvoice.data.phrases import Phrase
from ownvoice.data.phrases.adaptive import HeardWord, find_weaknesses, order_by_weakness
from ownvoice.data.phrases.bank import phrase_id
from ownvoice.data.split import Split
from ownvoice.data.utterance import utterance_id
from ownvoice.evaluation.wer import CorpusScore, score
from ownvoice.model.load import load_recogniser
from ownvoice.model.transcribe import transcribe_clips
from ownvoice.rundir import VoiceFolder
from ownvoice.workflow.prepare import Prepared
from ownvoice.workflow.train import train_voice

VOICES = {
    "slow and slurred": synthesis.Voice("flite", "slt", 1.25, 150),
    "whispering": synthesis.Voice("espeak", "en-us+whisper", 140, 50),
}
ARMS = ("errors", "coverage", "random")
POOL, DEV, TEST = 300, 10, 80
DRAWS = 10_000
HEADER = """\
| next phrases | words read | WER before | WER after | WER against random, 95 % interval |
|---|---|---|---|---|"""


@dataclass(frozen=True)
class Row:
    """One trained arm of one trial."""

    voice: str
    seed: int
    arm: str
    words_read: int
    base_wer: float
    """Of the model before any training, on the same test phrases."""
    wer: float


@dataclass(frozen=True)
class Texts:
    """What is read in one trial."""

    pool: list[Phrase]
    """In coverage order."""
    dev: list[str]
    test: list[str]
    lexicon: dict[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--voices", nargs="+", choices=VOICES, default=list(VOICES))
    parser.add_argument("--first", type=int, default=24, help="phrases that every arm begins with")
    parser.add_argument("--more", type=int, default=24, help="phrases that each arm chooses")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the rows here, after each trial")
    options = parser.parse_args()
    rows: list[Row] = []
    for seed in options.seeds:
        texts = texts_of(seed)
        for voice in options.voices:
            with tempfile.TemporaryDirectory() as folder:
                rows += trial(Path(folder), voice, texts, seed, options)
            if options.json:
                options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1), encoding="utf-8")
            print(*rows[-len(ARMS) :], sep="\n", file=sys.stderr, flush=True)
    print(describe(rows))


def texts_of(seed: int) -> Texts:
    """Pool, dev and test phrases of a seed; nothing held out is in the pool."""
    rng = random.Random(f"adaptive-{seed}")  # noqa: S311 - no secret
    pool = list(distinct(rng, POOL, kept_for_test=False))
    held = list(distinct(rng, DEV + TEST, kept_for_test=True))
    phones = phones_of(pool, "en-us")
    phrases = [
        Phrase(phrase_id("en", text), text, "", len(text.split()), sounds)
        for text, sounds in zip(pool, phones, strict=True)
    ]
    lexicon = dict(zip(vocabulary(), phones_of(vocabulary(), "en-us"), strict=True))
    return Texts(coverage_order(phrases), held[:DEV], held[DEV:], lexicon)


def distinct(rng: random.Random, count: int, *, kept_for_test: bool) -> Iterator[str]:
    """Phrases of the built-in model's world, none of them twice; those kept for tests it was never trained on."""
    found: set[str] = set()
    while len(found) < count:
        text = sentence(rng)
        if 3 <= len(text.split()) <= 9 and held_out(text) == kept_for_test and text not in found:
            found.add(text)
            yield text


def trial(folder: Path, voice: str, texts: Texts, seed: int, options: argparse.Namespace) -> list[Row]:
    """Train and judge every arm on one voice and one draw of phrases."""
    first, rest = texts.pool[: options.first], texts.pool[options.first :]
    recorded = Recorder(folder, VOICES[voice], seed)
    base = load_recogniser("tiny")
    test = recorded.samples(texts.test)
    base_wer = score(texts.test, transcribe_clips(base, test, "en"), "en").wer
    spoken = [phrase.text for phrase in first]
    heard = score(spoken, transcribe_clips(base, recorded.samples(spoken), "en"), "en")
    weaknesses = find_weaknesses(heard_words(heard), texts.lexicon)
    chosen = {
        "errors": order_by_weakness(rest, weaknesses, texts.lexicon, count=options.more),
        "coverage": rest[: options.more],
        "random": random.Random(f"random-{seed}").sample(rest, options.more),  # noqa: S311
    }
    ids = recorded.voice([*texts.dev, *spoken, *(phrase.text for arm in ARMS for phrase in chosen[arm])])
    settings = TrainingSettings(base_model="tiny", seed=seed, epochs=options.epochs, batch_size=8)
    rows = []
    for arm in ARMS:
        read = spoken + [phrase.text for phrase in chosen[arm]]
        split = Split([ids[text] for text in read], [ids[text] for text in texts.dev], [])
        run = train_voice(Prepared(recorded.folder, settings, split, ()), lambda event: None).run
        written = transcribe_clips(load_recogniser(run.path), test, "en")
        words = sum(len(text.split()) for text in read)
        rows.append(Row(voice, seed, arm, words, base_wer, score(texts.test, written, "en").wer))
    return rows


def heard_words(scored: CorpusScore) -> list[list[HeardWord]]:
    return [
        [HeardWord(edit.reference, edit.kind == "equal") for edit in utterance.edits if edit.reference]
        for utterance in scored.utterances
    ]


class Recorder:
    """Lets a simulated voice read phrases, each always the same way."""

    def __init__(self, folder: Path, speaker: synthesis.Voice, seed: int) -> None:
        self.folder = VoiceFolder(folder / "voice")
        self._clips = folder / "clips"
        self._clips.mkdir()
        self._speaker, self._seed = speaker, seed

    def samples(self, texts: Sequence[str]) -> list[np.ndarray]:
        """The sound of each text."""
        return [load_audio(self._clip(text)) for text in texts]

    def voice(self, texts: Sequence[str]) -> dict[str, str]:
        """Make the voice folder of these texts; returns the utterance id of each."""
        source = self._clips / "metadata.jsonl"
        lines = [json.dumps({"file_name": self._clip(text).name, "text": text}) for text in dict.fromkeys(texts)]
        source.write_text("\n".join(lines), encoding="utf-8")
        import_recordings(str(source), self.folder, language="en")
        return {utterance.text: utterance_id(utterance) for utterance in read_manifest(self.folder).utterances}

    def _clip(self, text: str) -> Path:
        path = self._clips / f"{phrase_id('clip', text)}.wav"
        if not path.exists():
            rng = random.Random(f"{self._seed}-{text}")  # noqa: S311
            signal = synthesis.slur(synthesis.trim(synthesis.speak(text, self._speaker)), rng)
            soundfile.write(path, 0.5 * signal / abs(signal).max(), synthesis.RATE)
        return path


def describe(rows: Sequence[Row]) -> str:
    """A table of means over all trials, and of paired differences with 95 % bootstrap intervals over trials."""
    lines = [HEADER]
    by_chance = np.array([row.wer for row in rows if row.arm == "random"])
    for arm in ARMS:
        mine = [row for row in rows if row.arm == arm]
        wer = np.array([row.wer for row in mine])
        low, high = interval(wer - by_chance)
        against = "" if arm == "random" else f"{(wer - by_chance).mean():+.3f} ({low:+.3f} to {high:+.3f})"
        words, before = np.mean([row.words_read for row in mine]), np.mean([row.base_wer for row in mine])
        lines.append(f"| {arm} | {words:.0f} | {before:.3f} | {wer.mean():.3f} | {against} |")
    return "\n".join(lines)


def interval(differences: np.ndarray) -> tuple[float, float]:
    """95 % percentile bootstrap of the mean over trials."""
    draws = np.random.default_rng(0).choice(differences, (DRAWS, len(differences))).mean(axis=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


if __name__ == "__main__":
    main()
