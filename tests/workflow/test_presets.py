"""Faster and more thorough, measured by what is usual for the voice."""

from __future__ import annotations

import pytest

from ownvoice.data.voice_settings import read_voice_settings
from ownvoice.rundir import VoiceFolder
from ownvoice.workflow import training_settings
from ownvoice.workflow.presets import PACES


@pytest.mark.parametrize(("pace", "epochs"), [("faster", 5), ("balanced", 16), ("thorough", 32)])
def test_paces_of_a_small_voice(voice: VoiceFolder, pace: str, epochs: int) -> None:
    settings = training_settings(voice, None, {}, pace)  # type: ignore[arg-type]
    assert settings.epochs == epochs
    assert settings.language == read_voice_settings(voice).language
    chosen = settings.model_dump(exclude_unset=True)
    assert all(chosen[name] == value for name, value in PACES[pace].others.items())  # type: ignore[index]


def test_what_is_given_counts_more_than_the_pace(voice: VoiceFolder) -> None:
    settings = training_settings(voice, None, {"epochs": 7, "method": "full", "lora": {"rank": 4}}, "thorough")
    assert (settings.epochs, settings.lora.rank, settings.augment.variants) == (7, 4, 3)
    assert training_settings(voice, None, {"method": "full"}).epochs == 8
