"""What is trained, and for how long, unless somebody says otherwise: one small table by minutes of speech and method.

The command line, the app and its presets take it as it is here; any setting given by hand counts more. The reasons
are in docs/performance.md under "Defaults". Nothing is measured here.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any

from ownvoice.config import TrainingSettings

SMALL_MODEL = 100_000_000
"""Parameters below which a model takes the larger learning rate: the built-in one has some eight million."""


@dataclass(frozen=True)
class Usual:
    """What suits so much speech."""

    minutes: float
    """Up to this many minutes of speech in the voice."""
    rank: int
    """Of the adapters; alpha is twice that, which leaves their strength the same."""
    epochs: int
    """With adapters. A run ends earlier when the dev set no longer improves."""
    full_epochs: int
    """Of every weight, which learns faster and forgets more."""


TABLE = (
    Usual(minutes=15, rank=16, epochs=16, full_epochs=8),
    Usual(minutes=60, rank=16, epochs=12, full_epochs=6),
    Usual(minutes=300, rank=16, epochs=6, full_epochs=4),
    Usual(minutes=inf, rank=32, epochs=4, full_epochs=3),
)
SCOPE = "both"
"""Whatever there is of speech: a voice is learned in the encoder, and written by the decoder."""


def usual_settings(minutes: float, method: str) -> dict[str, Any]:
    """The settings that suit a voice of so many minutes of speech, as values for ``TrainingSettings.make``."""
    row = next(row for row in TABLE if minutes <= row.minutes)
    epochs = row.full_epochs if method == "full" else row.epochs
    return {"scope": SCOPE, "epochs": epochs, "lora": {"rank": row.rank, "alpha": 2 * row.rank}}


def peak_learning_rate(settings: TrainingSettings, parameters: int) -> float:
    """The learning rate asked for, or the default for a base model with so many parameters."""
    if settings.optimiser.learning_rate is not None:
        return settings.optimiser.learning_rate
    adapters = 1e-3 if parameters < SMALL_MODEL else 1e-4
    return adapters / 10 if settings.method == "full" else adapters
