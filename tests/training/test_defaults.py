"""What a voice is trained with when nobody says anything."""

from __future__ import annotations

import pytest

from ownvoice.config import TrainingSettings
from ownvoice.training.defaults import TABLE, usual_settings


@pytest.mark.parametrize(
    ("minutes", "method", "epochs", "rank"),
    [(0, "lora", 16, 16), (15, "qlora", 16, 16), (16, "lora", 12, 16), (30, "full", 6, 16), (600, "lora", 4, 32)],
)
def test_by_minutes_and_method(minutes: float, method: str, epochs: int, rank: int) -> None:
    settings = TrainingSettings.make({"method": method, **usual_settings(minutes, method)})
    assert (settings.epochs, settings.lora.rank, settings.lora.alpha, settings.scope) == (
        epochs,
        rank,
        2 * rank,
        "both",
    )


def test_more_speech_is_heard_less_often_and_full_training_hears_it_less() -> None:
    epochs = [row.epochs for row in TABLE]
    assert epochs == sorted(epochs, reverse=True)
    assert all(row.full_epochs < row.epochs for row in TABLE)


def test_settings_without_a_voice_are_a_row_of_the_table() -> None:
    usual = TrainingSettings.make(usual_settings(30, "lora"))
    assert usual == TrainingSettings()
