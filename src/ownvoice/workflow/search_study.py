"""What a search tries: a study of Optuna's, kept in ``VOICE/search.jsonl``, which proposes settings for each trial.

The first trial has the usual settings; which trial is ended early is asked of the study by whoever watches it
(``search.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ownvoice.config import TrainingSettings, flattened
from ownvoice.errors import UsageError, storage_faults
from ownvoice.model.source import find_model
from ownvoice.rundir import VoiceFolder
from ownvoice.training.defaults import peak_learning_rate
from ownvoice.training.preflight import Shape
from ownvoice.workflow.run_settings import require_same, training_settings, written_settings

if TYPE_CHECKING:
    import optuna

RATE_RANGE = 4.0
"""Learning rates are tried from a so-manieth of the usual one to so many times that."""
RANKS = (4, 8, 16, 32, 64)
DROPOUTS = (0.0, 0.05, 0.1)
VARIANTS = (1, 3)
"""Of each recording: itself alone, or also a little faster and slower."""


def new_study(voice: VoiceFolder, recipe: Path | None, given: Mapping[str, Any]) -> optuna.Study:
    """A new study of a voice; its attributes are all settings, and the names of those the person has chosen.

    Raises
    ------
    DataError, ConfigError
        as :func:`~ownvoice.workflow.run_settings.training_settings`.
    ModelError
        as :func:`usual_rate`.
    StorageError
        when it cannot be written.
    """
    settings = training_settings(voice, recipe, given)
    fixed = list(flattened(written_settings(recipe, given), "."))
    study = _study(voice, datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f"), settings.seed)
    study.set_user_attr("fixed", fixed)
    study.set_user_attr("settings", settings.model_dump(mode="json"))
    usual = {
        "optimiser.learning_rate": usual_rate(settings),
        "lora.rank": settings.lora.rank,
        "lora.dropout": settings.lora.dropout,
        "augment.variants": settings.augment.variants,
    }
    study.enqueue_trial({name: value for name, value in usual.items() if name not in fixed})
    return study


def resumed_study(voice: VoiceFolder, recipe: Path | None, given: Mapping[str, Any]) -> optuna.Study:
    """The voice's latest study.

    Raises
    ------
    UsageError
        when there is none, or it was started with other settings.
    """
    import optuna

    names = sorted(optuna.get_all_study_names(_storage(voice))) if voice.search.is_file() else []
    if not names:
        raise UsageError("there is no search to go on with", where=voice.path, mend="Start one without --resume.")
    study = _study(voice, names[-1], 0)
    settings = TrainingSettings.make(study.user_attrs["settings"])
    require_same(settings, written_settings(recipe, given), "search", voice.path)
    return _study(voice, names[-1], settings.seed)


def take_up(study: optuna.Study) -> None:
    """Have a trial that was stopped asked for again, with the run it has."""
    from optuna.trial import TrialState

    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.enqueue_trial(trial.params, user_attrs={"run": trial.user_attrs.get("run")})
        study.tell(trial.number, state=TrialState.FAIL)


def suggest(trial: optuna.Trial, settings: TrainingSettings, fixed: list[str]) -> dict[str, float]:
    """Settings to try, by name; none of ``fixed``, which the person has chosen.

    Raises
    ------
    UsageError
        when nothing is left to try.
    """
    rate = usual_rate(settings)
    ways: dict[str, Callable[[str], float]] = {
        "optimiser.learning_rate": lambda name: trial.suggest_float(
            name, rate / RATE_RANGE, rate * RATE_RANGE, log=True
        ),
        "lora.rank": lambda name: trial.suggest_categorical(name, RANKS),
        "lora.dropout": lambda name: trial.suggest_categorical(name, DROPOUTS),
        "augment.variants": lambda name: trial.suggest_categorical(name, VARIANTS),
    }
    open_to_choice = [
        name for name in ways if name not in fixed and not (settings.method == "full" and name.startswith("lora."))
    ]
    if not open_to_choice:
        raise UsageError("all that a search tries is given by hand", mend="Leave some of these settings open.")
    return {name: ways[name](name) for name in open_to_choice}


def usual_rate(settings: TrainingSettings) -> float:
    """The learning rate a run with these settings would have.

    Raises
    ------
    ModelError
        when the base model is not there or is no Voxtral.
    """
    shape = Shape.of_folder(settings.base_model, find_model(settings.base_model).base)
    return peak_learning_rate(settings, shape.parameters)


def _study(voice: VoiceFolder, name: str, seed: int) -> optuna.Study:
    import optuna

    return optuna.create_study(
        storage=_storage(voice),
        study_name=name,
        load_if_exists=True,
        direction="minimize",
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=2),
    )


def _storage(voice: VoiceFolder) -> optuna.storages.BaseStorage:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    with storage_faults(voice.search):
        return JournalStorage(JournalFileBackend(str(voice.search)))
