"""From "faster" to "more thorough": what a person who knows no setting chooses between.

===========  ==========================================================================================================
faster       A third of the usual epochs, in batches of 8. On the sample voice they bring most of what there is to gain
             (bench/results/2026-11-23-demo.md), in less than half the time.
balanced     What is usual for so much speech (:mod:`ownvoice.training.defaults`), ended early when the dev set no
             longer improves.
thorough     Twice as long, each recording also a little faster and slower, so that hearing it again is not hearing the
             same (Ko et al. 2015), and more patience before it is ended early.
===========  ==========================================================================================================

Rank, scope and learning rate are the same in all: what suits the model does not change with the time there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Pace = Literal["faster", "balanced", "thorough"]


@dataclass(frozen=True)
class Change:
    """What a pace changes of the usual settings."""

    epochs: float
    """So many times the usual ones."""
    others: Mapping[str, Any] = field(default_factory=dict)


PACES: Mapping[Pace, Change] = {
    "faster": Change(1 / 3, {"batch_size": 8}),
    "balanced": Change(1),
    "thorough": Change(2, {"augment": {"variants": 3}, "dev": {"patience": 6}}),
}


def at_pace(pace: Pace, usual: Mapping[str, Any]) -> dict[str, Any]:
    """The ``usual`` settings of a voice (``usual_settings``), changed for who wants it faster or more thorough."""
    change = PACES[pace]
    return {**usual, "epochs": max(1, round(usual["epochs"] * change.epochs)), **change.others}
