"""The built-in model through the front door: what it hears, what it does not, and what it weighs."""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jiwer
import pytest

from ownvoice.data.audio import load_audio
from ownvoice.model.load import Recogniser, load_recogniser
from ownvoice.model.transcribe import transcribe_clips

REPOSITORY = Path(__file__).parents[2]
TINY = REPOSITORY / "src/ownvoice/model/tiny"


@pytest.fixture(scope="module")
def tiny() -> Recogniser:
    return load_recogniser("tiny")


@pytest.fixture(scope="module")
def tools() -> Iterator[Any]:
    """The modules that made the model, and the synthesisers they need."""
    missing = [name for name in ("espeak-ng", "flite") if shutil.which(name) is None]
    if missing and os.environ.get("CI") != "true":
        pytest.skip(f"needs {' and '.join(missing)} (Debian packages of that name)")
    assert not missing
    sys.path.insert(0, str(REPOSITORY / "tools/tiny"))
    try:
        import corpus
        import phrases
        import synthesis

        yield SimpleNamespace(corpus=corpus, phrases=phrases, synthesis=synthesis)
    finally:
        sys.path.remove(str(REPOSITORY / "tools/tiny"))


def word_error_rate(recogniser: Recogniser, clips: list[tuple[Any, str]]) -> float:
    heard = transcribe_clips(recogniser, [samples for samples, _ in clips], "en")
    return float(jiwer.wer([text for _, text in clips], heard))


def sample_clips() -> list[tuple[Any, str]]:
    rows = map(json.loads, (TINY / "sample_voice/metadata.jsonl").read_text(encoding="utf-8").splitlines())
    return [(load_audio(TINY / "sample_voice" / row["file_name"]), row["text"]) for row in rows]


def folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_model_and_voice_are_small_enough_to_ship() -> None:
    assert folder_bytes(TINY / "weights") <= 20_000_000
    assert folder_bytes(TINY / "sample_voice") <= 5_000_000


def test_sample_voice_is_enough_to_learn_from_and_says_that_it_is_synthetic() -> None:
    texts = [text for _, text in sample_clips()]
    assert len(texts) >= 120
    assert len(set(texts)) == len(texts)
    assert "synthetic" in (TINY / "sample_voice/README.md").read_text(encoding="utf-8").lower()


@pytest.mark.slow
def test_sample_voice_is_not_understood(tiny: Recogniser) -> None:
    assert word_error_rate(tiny, sample_clips()[::4]) >= 0.4


@pytest.mark.slow
def test_unseen_phrases_are_understood_in_the_voices_it_knows(tiny: Recogniser, tools: Any) -> None:
    clips = [tools.corpus.make_clip(number, test=True) for number in range(120)]
    assert all(tools.phrases.held_out(text) for _, text in clips)
    assert word_error_rate(tiny, clips) <= 0.15


@pytest.mark.slow
def test_several_phrases_in_one_window_are_all_written_down(tiny: Recogniser, tools: Any) -> None:
    clips = []
    for number in range(20):
        rng = random.Random(f"window-{number}")
        texts = tools.corpus.test_phrases(40)[2 * number : 2 * number + 2]
        clips.append((tools.synthesis.several(texts, tools.synthesis.training_voice(rng), rng), " ".join(texts)))
    assert word_error_rate(tiny, clips) <= 0.3
