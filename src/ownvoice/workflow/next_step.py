"""What a person would do next with a voice: record, teach, look at the training, or try the model.

A hint for a page, in one word; it stops nobody from doing something else. What to say of it is the page's part.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ownvoice.data.session import FIRST_MINUTES
from ownvoice.data.shelf import VoiceSummary
from ownvoice.data.split import MIN_UTTERANCES
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.workflow.run_view import RunView


@dataclass(frozen=True)
class NextStep:
    """The step, and what it is about."""

    kind: Literal["record", "first_look", "teach", "learning", "stopped", "try"]
    """Record until a model can be taught at all; teach for a first look, or record some more first; teach; wait while
    it learns; look at a training that stopped before its end; try the model."""
    run: RunFolder | None = None
    """The training, of "learning", "stopped" and "try"."""
    missing: int = 0
    """Recordings, of "record"."""


def next_step(voice: VoiceFolder, summary: VoiceSummary, look: Callable[[RunFolder], RunView]) -> NextStep:
    """The next step with ``voice``; ``look`` tells how a run stands."""
    run = voice.latest_run()
    view = look(run) if run else None
    if view and not view.is_over:
        return NextStep("learning", run)
    if view and view.can_resume:
        return NextStep("stopped", run)
    if view and view.has_model:
        return NextStep("try", run)
    if summary.utterances < MIN_UTTERANCES:
        return NextStep("record", missing=MIN_UTTERANCES - summary.utterances)
    return NextStep("teach" if summary.seconds >= 60 * FIRST_MINUTES else "first_look")
