"""Evaluations of transcripts a test makes up, with real sound on disk to make a page of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ownvoice.data.audio import SAMPLE_RATE, write_wav
from ownvoice.evaluation.evaluate import Evaluation, HeldOutPhrase, evaluate
from ownvoice.rundir import RunFolder

Row = tuple[str, str, str]
"""What was said, what the base model wrote, what the tuned model wrote."""


def judge(
    run: RunFolder,
    rows: Sequence[Row],
    *,
    silence: Sequence[tuple[str, str]] = (),
    names: Sequence[str] = (),
    language: str = "en",
) -> Evaluation:
    """Evaluate ``rows``, each with half a second of a tone as its recording in the run's voice.

    ``silence`` holds what both models wrote on each of some silent clips.
    """
    phrases = []
    for number, (text, _, _) in enumerate(rows, 1):
        audio = run.voice.wavs / f"{number:04}.wav"
        tone = 0.1 * np.sin(np.arange(SAMPLE_RATE // 2) * 2 * np.pi * (200 + 10 * number) / SAMPLE_RATE)
        write_wav(audio, tone.astype(np.float32))
        phrases.append(HeldOutPhrase(f"{number:04}", audio, text))
    return evaluate(
        phrases,
        base=lambda clips: [*(row[1] for row in rows), *(text for text, _ in silence)],
        tuned=lambda clips: [*(row[2] for row in rows), *(text for _, text in silence)],
        language=language,
        silence=[Path("silence.wav")] * len(silence),
        names=names,
    )
