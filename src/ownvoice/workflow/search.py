"""Tries several settings on one voice and keeps the best: ``ownvoice train VOICE --search N``.

Each trial is a run like any other, on the same split. Optuna proposes settings and halves successively (Li et al. 2020,
"A system for massively parallel hyperparameter tuning"): after its first, second, fourth... look at the dev set a trial
that is not in the better half of those that came so far is ended, so that most of the time goes to what promises
something. The first trial has the usual settings, so on the dev set a search comes out no worse than none. What Optuna
knows is in ``VOICE/search.jsonl``; a search that was stopped goes on with the run it was in.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ownvoice import events
from ownvoice.config import TrainingSettings, merged, nested
from ownvoice.data.manifest import read_manifest
from ownvoice.data.split import load_split
from ownvoice.errors import DivergedError, StoppedError, TrainingError, storage_faults
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.training.ending import ask, forget_wish
from ownvoice.workflow.prepare import Prepared, prepare
from ownvoice.workflow.search_study import new_study, resumed_study, suggest, take_up
from ownvoice.workflow.train import begin_run, go_on

if TYPE_CHECKING:
    import optuna

Outcome = Literal["done", "ended early", "failed"]


@dataclass(frozen=True)
class Trial:
    """One run of a search, as its events tell of it."""

    run: str
    """Name of its folder."""
    settings: Mapping[str, float]
    """What was tried: ``{"lora.rank": 8, ...}``."""
    outcome: Outcome
    """Failed is one whose loss was no longer a number."""
    steps: int
    dev_wer: float | None
    """The lowest of its looks at the dev set; None where it failed before the first."""


@dataclass(frozen=True)
class SearchResult:
    """A search that came to its end."""

    voice: VoiceFolder
    trials: tuple[Trial, ...]
    """In the order they were made; the first has the usual settings."""

    @property
    def best(self) -> Trial:
        """The trial of lowest WER among those trained to their end; the earlier one of equals."""
        return min((trial for trial in self.trials if trial.outcome == "done"), key=lambda trial: trial.dev_wer or 0.0)

    @property
    def run(self) -> RunFolder:
        """The run of :attr:`best`."""
        return RunFolder(self.voice.runs / self.best.run)

    def to_json(self) -> dict[str, object]:
        """What ``ownvoice train --search N --json`` prints: as without ``--search``, and ``trials``; a contract."""
        done = [event for event in events.read_events(self.run.events) if isinstance(event, events.Done)][-1]
        return {
            "run": str(self.run.path),
            "steps": done.step,
            "loss": done.loss,
            "dev_wer": done.dev_wer,
            "trials": [asdict(trial) for trial in self.trials],
        }

    def table(self) -> str:
        """The trials as lines of text, the best marked."""
        names = list(self.trials[0].settings)
        lines = [f"  {'run':20}{'dev WER':>9}{'steps':>7}  {'':12}" + "".join(f"{name:>26}" for name in names)]
        for trial in self.trials:
            wer = "-" if trial.dev_wer is None else f"{trial.dev_wer:.1%}"
            values = "".join(f"{trial.settings[name]:>26.3g}" for name in names)
            mark = "*" if trial is self.best else " "
            lines.append(f"{mark} {trial.run:20}{wer:>9}{trial.steps:>7}  {trial.outcome:12}{values}")
        return "\n".join(lines)


def search(
    voice: VoiceFolder,
    recipe: Path | None,
    given: Mapping[str, Any],
    count: int,
    *,
    resume: bool,
    listener: events.Listener,
    tell: Callable[[str], None],
) -> SearchResult:
    """Make trials until there are ``count``, each a run of ``voice``.

    Parameters
    ----------
    recipe, given
        As for :func:`~ownvoice.workflow.run_settings.training_settings`; what they say is the same in all trials.
    resume
        Go on with the voice's latest search.
    tell
        Handed a sentence before each trial.

    Raises
    ------
    UsageError
        when a search is resumed with other settings, or there is nothing left to try.
    OwnvoiceError
        as :func:`~ownvoice.workflow.train.train_voice`, where a trial fails for want of more than luck. So does a
        person who pauses or cancels one of its runs. The search goes on with ``resume``.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = resumed_study(voice, recipe, given) if resume else new_study(voice, recipe, given)
    settings = TrainingSettings.make(study.user_attrs["settings"])
    prepared = prepare(voice, settings)
    take_up(study)
    while len(done := _trials(study, voice)) < count:
        trial = study.ask()
        choices = suggest(trial, settings, study.user_attrs["fixed"])
        shown = ", ".join(f"{name} {value:.3g}" for name, value in choices.items())
        tell(f"Trial {len(done) + 1} of {count}: {shown}")
        _try(study, trial, _run_of(trial, prepared, choices, done, listener), listener)
    return SearchResult(voice, tuple(done))


def delete_other_models(result: SearchResult) -> None:
    """Delete models and checkpoints of all trials but the best; what is known of them stays in their folders.

    Raises
    ------
    StorageError
        when a folder cannot be deleted.
    """
    for trial in result.trials:
        run = RunFolder(result.voice.runs / trial.run)
        if trial is not result.best:
            for folder in (run.adapter, run.model, run.checkpoints):
                with storage_faults(folder):
                    if folder.is_dir():
                        shutil.rmtree(folder)


def _run_of(
    trial: optuna.Trial,
    prepared: Prepared,
    choices: Mapping[str, float],
    done: list[Trial],
    listener: events.Listener,
) -> RunFolder:
    """The run a stopped trial has, or a new one on the split of the first."""
    runs = prepared.voice.runs
    if name := trial.user_attrs.get("run"):
        run = RunFolder(runs / name)
        forget_wish(run)
        return run
    if done:
        first = RunFolder(runs / done[0].run)
        prepared = replace(prepared, split=load_split(first, read_manifest(prepared.voice).everything), notes=())
    tried = nested(choices, ".")
    if "lora.rank" in choices and prepared.settings.lora.alpha == 2 * prepared.settings.lora.rank:
        tried["lora"]["alpha"] = 2 * tried["lora"]["rank"]  # the adapters' strength stays what it is
    settings = TrainingSettings.make(merged(prepared.settings.model_dump(), tried))
    run = begin_run(replace(prepared, settings=settings), listener)
    trial.set_user_attr("run", run.path.name)
    return run


def _try(study: optuna.Study, trial: optuna.Trial, run: RunFolder, listener: events.Listener) -> None:
    """Train one trial to its end, or until it is not among the better half."""
    from optuna.trial import TrialState

    watch = _Watch(trial, run, listener)
    try:
        trained = go_on(run, watch)
    except StoppedError:
        if not watch.is_ended:
            raise
        study.tell(trial, state=TrialState.PRUNED)
    except DivergedError:
        trial.set_user_attr("diverged", True)
        study.tell(trial, state=TrialState.FAIL)
    else:
        study.tell(trial, trained.result.dev_wer)


class _Watch:
    """Reports each look at the dev set to Optuna, and has the run cancelled where Optuna thinks it not worth while."""

    def __init__(self, trial: optuna.Trial, run: RunFolder, listener: events.Listener) -> None:
        from ownvoice.training.checkpoint import checkpoint_step

        self._trial, self._run, self._listener = trial, run, listener
        self._looks: list[float] = []
        self._steps = 0
        self.is_ended = False
        saved = checkpoint_step(run)
        for event in events.read_events(run.events):
            if isinstance(event, events.Eval) and event.step <= saved:
                self._is_worse(event)

    def __call__(self, event: events.Event) -> None:
        self._listener(event)
        match event:
            case events.Start():
                self._steps = event.steps
            case events.Eval():
                if self._is_worse(event) and event.step < self._steps:
                    self.is_ended = True
                    ask(self._run, "cancel")

    def _is_worse(self, look: events.Eval) -> bool:
        self._looks.append(look.dev_wer)
        self._trial.report(min(self._looks), len(self._looks))
        return self._trial.should_prune()


def _trials(study: optuna.Study, voice: VoiceFolder) -> list[Trial]:
    """The trials that came to an end, one way or another."""
    from optuna.trial import TrialState

    outcomes: dict[TrialState, Outcome] = {TrialState.COMPLETE: "done", TrialState.PRUNED: "ended early"}
    trials = []
    for trial in study.get_trials(deepcopy=False):
        outcome: Outcome | None = "failed" if trial.user_attrs.get("diverged") else outcomes.get(trial.state)
        if outcome:
            run = RunFolder(voice.runs / trial.user_attrs["run"])
            told = events.read_events(run.events)
            trials.append(
                Trial(
                    run=run.path.name,
                    settings=dict(trial.params),
                    outcome=outcome,
                    steps=max((event.step for event in told if isinstance(event, events.Step)), default=0),
                    dev_wer=min((event.dev_wer for event in told if isinstance(event, events.Eval)), default=None),
                )
            )
    if trials and not any(trial.outcome == "done" for trial in trials):
        raise TrainingError(
            "no trial could be trained to its end",
            where=voice.path,
            mend="Give a lower --optimiser-learning-rate, and start a new search.",
        )
    return trials
