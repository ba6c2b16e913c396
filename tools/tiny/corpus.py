"""Speaks the training and test clips of the built-in model and keeps their log-mel features.

One pass, in parallel, repeatable: clip N depends on N alone. Features are made by Whisper's own extractor, without
padding to the window (the trainer pads), and lie in one file of half floats with an index beside it.
"""

from __future__ import annotations

import argparse
import json
import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import synthesis
from phrases import held_out, sentence, word_string

FRAMES_PER_TOKEN = 8
"""Mel frames behind one audio token: 2 (strided convolution) x 4 (grouping before the projector)."""
HOP = 160
MELS = 128
MAX_SECONDS = 9.6


@dataclass(frozen=True)
class Clip:
    """A clip's place in the feature file and what is said in it."""

    start: int
    frames: int
    text: str


def make_clip(number: int, *, test: bool = False) -> tuple[np.ndarray, str]:
    """Sound and text of clip ``number``; test clips speak held-out phrases in the training voices."""
    rng = random.Random(f"{'test' if test else 'train'}-{number}")
    voice = synthesis.training_voice(rng)
    kind = rng.random()
    while True:
        if test:
            texts = [test_phrases(number + 1)[number]]
        elif kind < 0.55:
            texts = [_phrase(rng)]
        elif kind < 0.78:
            texts = [word_string(rng)]
        else:
            texts = [_phrase(rng) for _ in range(rng.randint(2, 4))]
        signal = synthesis.record(synthesis.several(texts, voice, rng), rng)
        if signal.size <= MAX_SECONDS * synthesis.RATE:
            return signal, " ".join(texts)


def test_phrases(count: int) -> list[str]:
    """The first so many distinct held-out sentences of three words or more, always the same.

    Distinct, because a sentence without slots is held out whole: drawn freely, one such would be every tenth clip.
    """
    rng, found = random.Random("test phrases"), dict[str, None]()
    while len(found) < count:
        text = sentence(rng)
        if held_out(text) and len(text.split()) >= 3:
            found[text] = None
    return list(found)


def _phrase(rng: random.Random) -> str:
    while held_out(text := sentence(rng)):
        pass
    return text


def make_corpus(folder: Path, count: int, *, test: bool = False, workers: int = 2) -> None:
    """Write ``features.bin`` (frames x 128 half floats, clips one after another) and ``index.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    index, position = [], 0
    with ProcessPoolExecutor(workers) as pool, (folder / "features.bin").open("wb") as file:
        numbers = [(number, test) for number in range(count)]
        for mel, text in pool.map(_clip_features, numbers, chunksize=64):
            file.write(mel.tobytes())
            index.append([position, len(mel), text])
            position += len(mel)
            if len(index) % 2000 == 0:
                print(f"{len(index)} of {count} clips, {position / 100 / 3600:.1f} h", flush=True)
    (folder / "index.json").write_text(json.dumps(index))


def load_corpus(folder: Path) -> tuple[np.ndarray, list[Clip]]:
    """The features as one array (frames, 128), and the clips."""
    clips = [Clip(*row) for row in json.loads((folder / "index.json").read_text())]
    return np.fromfile(folder / "features.bin", np.float16).reshape(-1, MELS), clips


def log_mel(signal: np.ndarray) -> np.ndarray:
    """(frames, 128) features of a signal, silence-padded to whole audio tokens."""
    features = _extractor()(
        signal, sampling_rate=synthesis.RATE, padding=True, truncation=False,
        pad_to_multiple_of=FRAMES_PER_TOKEN * HOP, return_tensors="np",
    )["input_features"]  # fmt: skip
    return np.asarray(features[0].T, np.float16)


def _clip_features(job: tuple[int, bool]) -> tuple[np.ndarray, str]:
    signal, text = make_clip(job[0], test=job[1])
    return log_mel(signal), text


@cache
def _extractor():  # type: ignore[no-untyped-def]
    import torch
    from transformers import WhisperFeatureExtractor

    torch.set_num_threads(1)
    return WhisperFeatureExtractor(feature_size=MELS)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/tiny/corpus"))
    parser.add_argument("--clips", type=int, default=32_000)
    parser.add_argument("--test-clips", type=int, default=400)
    arguments = parser.parse_args()
    make_corpus(arguments.out / "test", arguments.test_clips, test=True)
    make_corpus(arguments.out / "train", arguments.clips)
