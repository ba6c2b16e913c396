"""Which windows to train in: whole ones, short ones, a mix, or several phrases in one; judged on single phrases.

    python bench/windows.py [--seeds 0 1 2] [--voices NAME ...] [--epochs N] [--rows FILE]

In each trial a simulated voice that the built-in model never heard reads phrases of the world that model knows
(tools/tiny/phrases.py). The same clips train it in every arm, with the same settings, dev phrases and seed; in each arm
but one every clip is heard equally often. Judged are phrases nobody trained on, in whole windows and in short ones, and
phrases of voices the model knew before (forgetting). Cost is processor time of the training steps. With ``--rows`` what
is there already is not measured again, and rows are written as soon as they are known. Needs espeak-ng and flite.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile
from adaptive import Recorder, distinct, interval, synthesis

from ownvoice import events
from ownvoice.config import TrainingSettings
from ownvoice.data.importers import import_recordings
from ownvoice.data.manifest import read_manifest
from ownvoice.data.split import Split
from ownvoice.data.utterance import utterance_id
from ownvoice.evaluation.wer import score
from ownvoice.model.load import Recogniser, load_recogniser
from ownvoice.model.transcribe import transcribe_clips
from ownvoice.rundir import VoiceFolder
from ownvoice.workflow.prepare import Prepared
from ownvoice.workflow.train import train_voice

VOICES = {
    "slow and slurred": synthesis.Voice("flite", "slt", 1.25, 150),
    "whispering": synthesis.Voice("espeak", "en-us+whisper", 140, 50),
    "croaking": synthesis.Voice("espeak", "en-gb+croak", 130, 40),
}
KNOWN = synthesis.Voice("espeak", "en-us+m3", 150, 50)
"""A voice of the kind the built-in model was trained on, for what it forgets."""
TRAIN, DEV, TEST, FORGET = 60, 8, 60, 30
DRAWS = 3
"""Ways in which phrases are put together into packs, or kept single, for the packed arms."""
LONGEST_PACK = 9.5
"""Seconds: a pack fits the built-in model's window of 10 s."""


@dataclass(frozen=True)
class Arm:
    """A way to train."""

    window: str = "standard"
    short_share: float = 0.75
    epochs: float = 1.0
    """Of the epochs asked for."""
    packed: int = 0
    """Of the three draws, how many are of packs; with any, an epoch hears a clip three times, so there are fewer."""


ARMS = {
    "standard": Arm(),
    "short in 75 % of steps": Arm(window="short"),
    "short": Arm(window="short", short_share=1.0),
    "packed, a third single": Arm(packed=2, epochs=1 / DRAWS),
    "standard, half the epochs": Arm(epochs=0.5),
    "packed": Arm(packed=3, epochs=1 / DRAWS),
}


@dataclass(frozen=True)
class Row:
    """One trained model; rates are WER on the same phrases for all arms of a trial."""

    voice: str
    seed: int
    arm: str
    base: float
    """Of the model before training, in whole windows."""
    base_short: float
    whole: float
    short: float
    known: float
    """On phrases of a voice the model knew before training."""
    known_before: float
    cost: float
    """Processor seconds of all training steps."""


@dataclass(frozen=True)
class Sounds:
    """What is read in a trial."""

    train: dict[str, np.ndarray]
    dev: dict[str, np.ndarray]
    test: dict[str, np.ndarray]
    known: dict[str, np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--voices", nargs="+", choices=VOICES, default=list(VOICES))
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--rows", type=Path, metavar="FILE", help="go on with the rows in this JSON file")
    options = parser.parse_args()
    rows = (
        [Row(**row) for row in json.loads(options.rows.read_text())] if options.rows and options.rows.exists() else []
    )
    for seed in options.seeds:
        for voice in options.voices:
            done = {row.arm for row in rows if (row.voice, row.seed) == (voice, seed)}
            for row in trial(voice, seed, [arm for arm in ARMS if arm not in done], options.epochs):
                rows.append(row)
                print(row, file=sys.stderr, flush=True)
                if options.rows:
                    options.rows.write_text(json.dumps([asdict(row) for row in rows], indent=1), encoding="utf-8")
    print(describe(rows))


def trial(voice: str, seed: int, arms: Sequence[str], epochs: int):  # type: ignore[no-untyped-def]  # rows, as they come
    """Train and judge each of ``arms`` on one voice and one draw of phrases."""
    if not arms:
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sounds = read_aloud(folder, voice, seed)
        base = load_recogniser("tiny")
        before = judge(base, sounds.test), judge(base, sounds.test, short=True), judge(base, sounds.known)
        for arm in arms:
            chosen = ARMS[arm]
            heard = train_sounds(sounds.train, chosen.packed, seed)
            place = folder / f"arm-{list(ARMS).index(arm)}"
            ids = voice_of(place, heard | sounds.dev)
            settings = TrainingSettings(
                base_model="tiny", seed=seed, epochs=max(1, round(epochs * chosen.epochs)), batch_size=8,
                window=chosen.window, short_share=chosen.short_share, dev={"every": 100},
            )  # fmt: skip
            clock = StepClock()
            split = Split([ids[text] for text in heard], [ids[text] for text in sounds.dev], [])
            run = train_voice(Prepared(VoiceFolder(place / "voice"), settings, split, ()), clock).run
            tuned = load_recogniser(run.path)
            yield Row(
                voice, seed, arm, before[0], before[1], judge(tuned, sounds.test),
                judge(tuned, sounds.test, short=True), judge(tuned, sounds.known), before[2], clock.seconds,
            )  # fmt: skip


def read_aloud(folder: Path, voice: str, seed: int) -> Sounds:
    """Phrases of a seed, those for dev and test never met in the built-in model's own training, in one voice."""
    rng = random.Random(f"windows-{seed}")  # noqa: S311 - no secret
    train = list(distinct(rng, TRAIN, kept_for_test=False))
    held = list(distinct(rng, DEV + TEST + FORGET, kept_for_test=True))
    recorder = Recorder(folder, VOICES[voice], seed)
    (folder / "known").mkdir()
    known = Recorder(folder / "known", KNOWN, seed)

    def read(texts: Sequence[str], by: Recorder) -> dict[str, np.ndarray]:
        return dict(zip(texts, by.samples(texts), strict=True))

    return Sounds(
        read(train, recorder), read(held[:DEV], recorder), read(held[DEV : DEV + TEST], recorder),
        read(held[DEV + TEST :], known),
    )  # fmt: skip


def train_sounds(clips: Mapping[str, np.ndarray], packed: int, seed: int) -> dict[str, np.ndarray]:
    """The clips themselves, or :data:`DRAWS` draws of them of which ``packed`` are packs, by their texts."""
    if not packed:
        return dict(clips)
    rng = random.Random(f"packs-{seed}")  # noqa: S311
    drawn = dict(clips) if packed < DRAWS else {}
    for _ in range(packed):
        drawn |= pack(clips, rng)
    return drawn


def pack(clips: Mapping[str, np.ndarray], rng: random.Random) -> dict[str, np.ndarray]:
    """Every clip once, as many in a pack as fit the window, with pauses of 0.3 to 0.9 s; transcripts joined."""
    packs: dict[str, np.ndarray] = {}
    texts, sound = [], np.zeros(0, np.float32)
    for text in rng.sample(list(clips), len(clips)):
        pause = np.zeros(int(rng.uniform(0.3, 0.9) * synthesis.RATE), np.float32)
        longer = np.concatenate([sound, pause, clips[text]]) if texts else clips[text]
        if texts and longer.size > LONGEST_PACK * synthesis.RATE:
            packs[" ".join(texts)] = sound
            texts, longer = [], clips[text]
        texts.append(text)
        sound = longer
    packs[" ".join(texts)] = sound
    return packs


def voice_of(folder: Path, sounds: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Make a voice of clips by their texts, in ``folder/voice``; returns the utterance id of each text."""
    folder.mkdir()
    lines = []
    for number, (text, samples) in enumerate(sounds.items()):
        soundfile.write(folder / f"{number:04}.wav", samples, synthesis.RATE)
        lines.append(json.dumps({"file_name": f"{number:04}.wav", "text": text}))
    (folder / "metadata.jsonl").write_text("\n".join(lines), encoding="utf-8")
    voice = VoiceFolder(folder / "voice")
    import_recordings(str(folder / "metadata.jsonl"), voice, language="en")
    return {utterance.text: utterance_id(utterance) for utterance in read_manifest(voice).utterances}


def judge(recogniser: Recogniser, sounds: Mapping[str, np.ndarray], *, short: bool = False) -> float:
    recogniser.short_windows = short
    return score(list(sounds), transcribe_clips(recogniser, list(sounds.values()), "en"), "en").wer


class StepClock:
    """Listens to a run and adds up the processor time of its steps, without preparing and looks at the dev set."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._since = time.process_time()

    def __call__(self, event: events.Event) -> None:
        now = time.process_time()
        if isinstance(event, events.Step):
            self.seconds += now - self._since
        self._since = now


def describe(rows: Sequence[Row]) -> str:
    """A table of means over trials, and of paired differences to ``standard`` with 95 % bootstrap intervals."""
    trials = {(row.voice, row.seed): row for row in rows if row.arm == "standard"}
    lines = [
        f"{len(trials)} trials; WER in whole windows before training "
        f"{np.mean([row.base for row in trials.values()]):.3f}, in short ones "
        f"{np.mean([row.base_short for row in trials.values()]):.3f}; of the known voice "
        f"{np.mean([row.known_before for row in trials.values()]):.3f}",
        "",
        "| training windows | trials | WER | against standard, 95 % interval | heard short | known voice | cost |",
        "|---|---|---|---|---|---|---|",
    ]
    for arm in ARMS:
        mine = [row for row in rows if row.arm == arm and (row.voice, row.seed) in trials]
        if not mine:
            continue
        pairs = [(row, trials[row.voice, row.seed]) for row in mine]
        differences = np.array([row.whole - standard.whole for row, standard in pairs])
        low, high = interval(differences)
        against = "" if arm == "standard" else f"{differences.mean():+.3f} ({low:+.3f} to {high:+.3f})"
        means = [float(np.mean([getattr(row, name) for row in mine])) for name in ("whole", "short", "known")]
        cost = float(np.mean([row.cost / standard.cost for row, standard in pairs]))
        lines.append(
            f"| {arm} | {len(mine)} | {means[0]:.3f} | {against} | {means[1]:.3f} | {means[2]:.3f} | {cost:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
