"""From "faster" to "more thorough": what a person who knows no setting chooses between.

===========  ==========================================================================================================
faster       5 epochs in batches of 8. On the sample voice they bring most of what there is to gain
             (bench/results/2026-11-22-demo.md), in less than half the time.
balanced     The defaults: 12 epochs in batches of 4, ended early when the dev set no longer improves.
thorough     Twice as long, each recording also a little faster and slower, so that hearing it again is not hearing the
             same (Ko et al. 2015), and more patience before it is ended early.
===========  ==========================================================================================================

Rank, scope and learning rate are the same in all: what suits the model does not change with the time there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Pace = Literal["faster", "balanced", "thorough"]

PACES: Mapping[Pace, Mapping[str, Any]] = {
    "faster": {"epochs": 5, "batch_size": 8},
    "balanced": {},
    "thorough": {"epochs": 24, "augment": {"variants": 3}, "dev": {"patience": 6}},
}
"""Settings that differ from the defaults."""
