"""The training loop: optimiser steps, looks at the dev set, checkpoints; one path for LoRA and full training.

Every random choice and the learning rate are functions of the seed and the step (:mod:`ownvoice.training.plan`), so a
run that goes on from a checkpoint does what it would have done unstopped. Why this is not transformers' Trainer is told
in docs/adr/0002-own-training-loop.md.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import psutil
import torch

from ownvoice import events
from ownvoice.config import TrainingSettings
from ownvoice.errors import DivergedError, StoppedError, TrainingError
from ownvoice.events import EventLog
from ownvoice.model.adapters import trained_tensors
from ownvoice.model.device import choose_device, describe_device
from ownvoice.model.load import Recogniser
from ownvoice.model.loss import LabelLoss
from ownvoice.rundir import RunFolder
from ownvoice.training.checkpoint import Best, State, latest_checkpoint, load_checkpoint, save_checkpoint
from ownvoice.training.defaults import peak_learning_rate
from ownvoice.training.dev import DevLook, Score, look_at_dev
from ownvoice.training.ending import heed
from ownvoice.training.examples import Example, ExampleMaker
from ownvoice.training.keep import keep_best
from ownvoice.training.optimiser import make_optimiser
from ownvoice.training.pace import Pace
from ownvoice.training.plan import Plan, Step, learning_rate
from ownvoice.training.processes import ALONE, ProcessGroup
from ownvoice.training.shards import whole_root
from ownvoice.training.step import StepGradients

CHECKPOINT_SECONDS = 600
"""At most this much work is lost when a run is killed between two looks at the dev set."""


@dataclass(frozen=True)
class TrainingResult:
    """How a run ended."""

    steps: int
    best_step: int
    loss: float
    """Training loss of the last step."""
    dev_wer: float
    """WER of the best step, which is the model kept."""
    seconds: float
    stopped_early: bool


class TrainingLoop:
    """A run in progress; all that changes is the trained weights, the optimiser's moments, and the state."""

    def __init__(
        self,
        run: RunFolder,
        settings: TrainingSettings,
        recogniser: Recogniser,
        maker: ExampleMaker,
        train: Sequence[Example],
        dev: Sequence[Example],
        score: Score,
        log: EventLog,
        group: ProcessGroup = ALONE,
    ) -> None:
        self._folder, self._settings, self._log, self._group = run, settings, log, group
        self._recogniser, self._maker = recogniser, maker
        self._train, self._dev, self._score = train, dev, score
        self._plan = Plan.of(settings, [example.length for example in train])
        self._parameters = trained_tensors(recogniser.model)
        self._peak = peak_learning_rate(settings, sum(weights.numel() for weights in recogniser.model.parameters()))
        self._dtype = recogniser.computes_in
        self._prepare_device()
        self._state = State(run=_identity(settings, train, dev))
        self._pace = Pace()
        self._began = self._saved = time.monotonic()

    def _prepare_device(self) -> None:
        from accelerate import Accelerator
        from accelerate.utils import AutocastKwargs

        optimiser = make_optimiser(self._parameters.values(), self._settings, self._peak)
        precision = "bf16" if self._dtype == torch.bfloat16 else "no"
        # A pass needs each weight once: to keep all of them in bfloat16 until its end would save nothing.
        self._accelerator = Accelerator(
            mixed_precision=precision,
            cpu=choose_device().type == "cpu",
            kwargs_handlers=[AutocastKwargs(cache_enabled=False)],
        )
        loss = LabelLoss(self._recogniser.model)
        if self._group.is_sharded:
            self._loss, self._optimiser = self._accelerator.prepare(loss, optimiser)
            self._parameters = trained_tensors(self._recogniser.model)
        else:  # not wrapped: the gradients of several processes are added up by StepGradients
            self._loss = self._accelerator.prepare_model(loss, evaluation_mode=True)
            self._optimiser = self._accelerator.prepare_optimizer(optimiser)
            self._maker.let_encoder_rest()
        self._gradients = StepGradients(
            self._settings,
            self._maker,
            self._loss,
            self._optimiser,
            self._accelerator,
            self._group,
            before_pass=self._heed,
            tell=lambda sentence: self._log.emit(events.Warning(sentence)),
        )

    def go_back_to_checkpoint(self) -> None:
        """Take up the last checkpoint, if there is one.

        Raises
        ------
        TrainingError
            when it is damaged, or of other settings or recordings.
        """
        path = latest_checkpoint(self._folder)
        if path is not None:
            state = load_checkpoint(path, self._parameters, self._optimiser)
            if state.run != self._state.run:
                raise TrainingError(
                    "the settings or the recordings are not those this run was started with",
                    where=self._folder.path,
                    mend="Put them back as they were, or start a new run.",
                )
            self._state = state
            self._gradients.halvings = state.halvings

    def run(self) -> TrainingResult:
        """Train to the end, keeping the best model and the last state on disk.

        Raises
        ------
        StoppedError
            when a person paused or cancelled the run; all that was learned is then on disk, and so is a model, if only
            as it stands where the dev set was not looked at yet.
        """
        self._saved = time.monotonic()
        self._began = self._saved - self._state.seconds
        self._log.emit(self._start_event())
        self._loss.train()
        try:
            self._train_on()
        except StoppedError:
            if self._state.step:
                if self._state.best is None:
                    self._keep()
                self._save()
            raise
        return self._end()

    def _train_on(self) -> None:
        if self._look_if_due():  # stopped in the midst of it last time
            self._save()
        for step, following in _with_next(self._plan.steps_from(self._state.step)):
            if self._state.looks_since_best >= self._settings.dev.patience:
                break
            if following:
                coming = [self._train[index] for batch in following.batches for index in batch]
                self._maker.read_ahead(coming, following.epoch, short=following.short)
            self._take(step)
            if self._look_if_due() or self._group.by_main(lambda: time.monotonic() - self._saved > CHECKPOINT_SECONDS):
                self._save()

    def _look_if_due(self) -> bool:
        due = self._plan.looks_at_dev(self._state.step) and self._state.looked < self._state.step
        if due:
            self._look()
        return due

    def _start_event(self) -> events.Start:
        return events.Start(
            steps=self._plan.total,
            step=self._state.step,
            device=describe_device(self._recogniser.device),
            dtype=str(self._dtype).removeprefix("torch."),
            train=len(self._train),
            dev=len(self._dev),
            trainable=sum(weights.numel() for weights in self._parameters.values()),
            learning_rate=self._peak,
        )

    def _take(self, step: Step) -> None:
        """One optimiser step; the loss is the mean over the labels of all its batches."""
        began = time.monotonic()
        rate = learning_rate(step.number, self._plan.total, self._peak, self._settings.optimiser)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        batches = [[self._train[index] for index in batch] for batch in step.batches]
        gathered = self._gradients.gather(step, batches)
        if gathered.unsound:
            raise self._no_number("the loss", gathered.unsound)
        norm = self._clip(batches)
        self._optimiser.step()
        self._optimiser.zero_grad()
        self._state = replace(self._state, step=step.number + 1, loss=gathered.loss, halvings=self._gradients.halvings)
        self._tell_step(gathered.loss, rate, norm, time.monotonic() - began, sum(map(len, batches)))

    def _tell_step(self, loss: float, rate: float, norm: float, seconds: float, clips: int) -> None:
        done = self._state.step
        self._pace.add_step(seconds, clips)
        self._log.emit(
            events.Step(
                step=done,
                epoch=done / self._plan.steps_per_epoch,
                loss=loss,
                learning_rate=rate,
                grad_norm=norm,
                seconds=seconds,
                clips_per_second=self._pace.clips_per_second,
                memory=_memory_used(self._recogniser.device),
                remaining=self._pace.remaining(self._plan.total - done, self._plan.looks_after(done)),
            )
        )

    def _clip(self, batches: list[list[Example]]) -> float:
        norm = float(
            self._accelerator.clip_grad_norm_(self._parameters.values(), self._settings.optimiser.max_grad_norm)
        )
        if not math.isfinite(norm):
            raise self._no_number("a gradient", [example for examples in batches for example in examples])
        return norm

    def _no_number(self, what: str, examples: Sequence[Example]) -> DivergedError:
        names = ", ".join(example.clip.id for example in examples)
        return DivergedError(
            f"in step {self._state.step + 1} {what} is no longer a number, with the recordings {names}",
            where=self._folder.path,
            mend=f"Start a new run with a lower optimiser.learning_rate (it was {self._peak:g}); if it happens again "
            "with the same recordings, listen to them and leave out what is damaged.",
        )

    def _look(self) -> None:
        """Transcribe the dev set; keep the model if it is the best so far."""
        began = time.monotonic()
        look = self._hear_dev(short=False)
        short_wer = self._hear_dev(short=True).wer if self._plan.short_share else None
        self._loss.train()
        seconds = time.monotonic() - began
        self._pace.add_look(seconds)
        best = Best(self._state.step, look.wer, look.loss)
        is_best = best.beats(self._state.best)
        if is_best:
            self._keep()
            self._state = replace(self._state, best=best, looks_since_best=0)
        else:
            self._state = replace(self._state, looks_since_best=self._state.looks_since_best + 1)
        self._state = replace(self._state, looked=self._state.step)
        self._log.emit(events.Eval(self._state.step, look.wer, look.cer, look.loss, is_best, seconds, short_wer))

    def _hear_dev(self, *, short: bool) -> DevLook:
        from accelerate.utils import AutocastKwargs

        # a transcript needs each weight for every word of it, so here they are kept
        with self._accelerator.autocast(AutocastKwargs(cache_enabled=True)), whole_root(self._loss):
            return look_at_dev(
                self._recogniser,
                self._maker,
                self._dev,
                self._settings.language,
                self._score,
                before_batch=lambda: self._group.hand_in_hand(self._heed),
                short=short,
                # each process needs all others for a batch where they share the weights: then all hear the same
                group=ALONE if self._group.is_sharded else self._group,
            )

    def _heed(self) -> None:
        heed(self._folder)

    def _keep(self) -> None:
        keep_best(self._folder, self._recogniser, self._group)

    def _save(self) -> None:
        self._state = replace(self._state, seconds=time.monotonic() - self._began)
        path = save_checkpoint(self._folder, self._state, self._parameters, self._optimiser, self._group)
        self._saved = time.monotonic()
        self._log.emit(events.Checkpoint(self._state.step, str(path.relative_to(self._folder.path))))

    def _end(self) -> TrainingResult:
        state = self._state
        best: Best = state.best  # type: ignore[assignment]  # the last step always looks at the dev set
        early = state.step < self._plan.total
        self._log.emit(events.Done(state.step, best.step, best.wer, state.loss, state.seconds, early))
        return TrainingResult(state.step, best.step, state.loss, best.wer, state.seconds, early)


def _with_next(steps: Iterable[Step]) -> Iterator[tuple[Step, Step | None]]:
    for step, following in itertools.pairwise(itertools.chain(steps, [None])):
        if step is not None:
            yield step, following


def _identity(settings: TrainingSettings, train: Sequence[Example], dev: Sequence[Example]) -> str:
    """What makes two runs the same: all settings, and ids, samples and texts of all utterances in their order."""
    data = [[(example.clip.id, example.digest, example.clip.text) for example in part] for part in (train, dev)]
    return hashlib.sha256(json.dumps([settings.model_dump(mode="json"), data]).encode()).hexdigest()


def _memory_used(device: torch.device) -> int:
    """Bytes: the most a CUDA card held so far; elsewhere what the process holds now."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return int(psutil.Process().memory_info().rss)
