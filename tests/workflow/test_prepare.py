"""What a person is told before a training starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from made_up_runs import trained_run
from ownvoice.config import TINY, TrainingSettings
from ownvoice.rundir import VoiceFolder
from ownvoice.workflow.prepare import prepare_recordings
from voices import make_voice


@pytest.fixture
def voice(tmp_path: Path) -> VoiceFolder:
    return make_voice(tmp_path / "anna", 24)


def test_a_base_that_learned_from_what_judges_it_is_told(voice: VoiceFolder) -> None:
    """An earlier run kept other phrases apart, and these it learned."""

    def told(base: object, seed: int) -> list[str]:
        notes = prepare_recordings(voice, TrainingSettings(base_model=str(base), seed=seed)).notes
        return [note for note in notes if "The base model learned from" in note]

    run = trained_run(voice)
    assert told(run.path, 0) == told(TINY, 1) == []
    (note,) = told(run.path, 1)
    judging = len(prepare_recordings(voice, TrainingSettings(base_model=TINY, seed=1)).split.test)
    assert f"of the {judging} phrases kept for judging" in note
