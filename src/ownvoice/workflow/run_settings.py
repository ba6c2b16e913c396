"""The settings of a training: what somebody wrote, before a recipe's, before what is usual for so much speech.

What is usual is told by :mod:`ownvoice.training.defaults`, and what a pace changes of it by ``presets.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ownvoice.config import TrainingSettings, merged
from ownvoice.data.shelf import summarise
from ownvoice.data.voice_settings import read_voice_settings
from ownvoice.errors import UsageError
from ownvoice.rundir import VoiceFolder
from ownvoice.training.defaults import usual_settings
from ownvoice.workflow.presets import Pace, at_pace


def training_settings(
    voice: VoiceFolder, recipe: Path | None, given: Mapping[str, Any], pace: Pace = "balanced"
) -> TrainingSettings:
    """Settings for training ``voice``: those ``given`` before those of the recipe before what is usual.

    Usual is what suits so many minutes of speech (:mod:`ownvoice.training.defaults`), at a pace. The language is the
    voice's unless one of them says otherwise.

    Raises
    ------
    DataError
        when this is no voice folder.
    ConfigError
        when the recipe or a value is wrong.
    """
    language = read_voice_settings(voice.require()).language
    chosen = written_settings(recipe, given)
    usual = usual_settings(summarise(voice).seconds / 60, str(chosen.get("method", "lora")))
    return TrainingSettings.make(merged({"language": language, **at_pace(pace, usual)}, chosen))


def written_settings(recipe: Path | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """What somebody wrote down: the recipe's settings with those ``given`` laid over them, and no default.

    Raises
    ------
    ConfigError
        when the recipe is wrong.
    """
    return merged(TrainingSettings.load(recipe).model_dump(exclude_unset=True) if recipe else {}, given)


def require_same(settings: TrainingSettings, given: Mapping[str, Any], what: str, where: Path) -> None:
    """Whether a resumed run or search, which is ``what``, is asked for as it was started.

    Raises
    ------
    UsageError
        when something ``given`` differs from its ``settings``.
    """
    if TrainingSettings.make(merged(settings.model_dump(), given)) != settings:
        raise UsageError(
            f"a resumed {what} goes on with the settings it started with",
            where=where,
            mend=f"Leave these settings out, or leave out --resume to start a new {what}.",
        )
