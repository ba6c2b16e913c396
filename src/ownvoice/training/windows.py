"""Decides between whole and short windows for a run that leaves it open, by how the base hears the dev set in both.

A model that hears a phrase as well when the silence after it is left out can learn from short windows, at a fraction of
the time; one that needs the silence cannot be judged so. Nothing is trained here, and the decision is made once: a
resumed run finds it among its events.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from ownvoice import events
from ownvoice.config import TrainingSettings
from ownvoice.events import EventLog
from ownvoice.model.load import Recogniser
from ownvoice.model.loss import LabelLoss
from ownvoice.model.transcribe import BATCH_SIZE, batches_by_length
from ownvoice.rundir import RunFolder
from ownvoice.training.dev import Score, encoded_batch, look_at_dev
from ownvoice.training.ending import heed
from ownvoice.training.examples import Example, ExampleMaker


def settle_windows(
    run: RunFolder,
    settings: TrainingSettings,
    recogniser: Recogniser,
    maker: ExampleMaker,
    dev: Sequence[Example],
    score: Score,
    log: EventLog,
) -> TrainingSettings:
    """The settings with nothing left open: where ``window`` is ``auto``, what the base model's hearing decides.

    Raises
    ------
    StoppedError
        when a person wants the run to pause or to end.
    """
    if settings.window != "auto":
        return settings
    told = [event for event in events.read_events(run.events) if isinstance(event, events.Windows)]
    if not told:
        told = [compare_windows(recogniser, maker, dev, settings, score, before_batch=lambda: heed(run))]
        log.emit(told[0])
    return settings.model_copy(update={"window": told[0].chosen})


def compare_windows(
    recogniser: Recogniser,
    maker: ExampleMaker,
    dev: Sequence[Example],
    settings: TrainingSettings,
    score: Score,
    before_batch: Callable[[], None],
) -> events.Windows:
    """Let the base model hear the dev set in whole and in short windows; short is chosen if its WER is no higher.

    What ``before_batch`` raises ends the comparison.
    """
    look = [
        look_at_dev(recogniser, maker, dev, settings.language, score, before_batch, short=short)
        for short in (False, True)
    ]
    return events.Windows(
        chosen="short" if look[1].wer <= look[0].wer else "standard",
        standard_wer=look[0].wer,
        short_wer=look[1].wer,
        standard_loss=look[0].loss,
        short_loss=look[1].loss,
        divergence=_divergence(recogniser, maker, dev, settings.language, before_batch),
    )


@torch.no_grad()
def _divergence(
    recogniser: Recogniser,
    maker: ExampleMaker,
    dev: Sequence[Example],
    language: str | None,
    before_batch: Callable[[], None],
) -> float:
    """Mean Kullback-Leibler divergence (nats a token) of what the model expects next, told the transcript so far.

    From its expectation in whole windows to that in short ones; 0 where the silence changes nothing.
    """
    loss_of = LabelLoss(recogniser.model)
    lengths = [example.sounds[0].samples for example in dev]
    total, labels = 0.0, 0
    # Groups of one short window are of one whole window too, so both see the same clips in the same order.
    for _, group in batches_by_length(lengths, recogniser.window, BATCH_SIZE, short=True):
        before_batch()
        chosen = [dev[index] for index in group]
        whole, short = (
            recogniser.model.lm_head(
                loss_of.label_states(encoded_batch(recogniser, maker, chosen, language, short=which)[0])
            )
            .float()
            .log_softmax(-1)
            for which in (False, True)
        )
        total += torch.nn.functional.kl_div(short, whole, reduction="sum", log_target=True).item()
        labels += len(whole)
    return total / labels
