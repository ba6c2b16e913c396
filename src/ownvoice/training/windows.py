"""Decides between whole and short windows for a run that leaves it open, by how the base hears the dev set in both.

A model that hears a phrase as well when the silence after it is left out can learn from short windows, at a fraction of
the time; one that needs the silence cannot be judged so. Short windows have to show that they do no harm, so a mistake
costs time rather than words. Nothing is trained here, and the decision is made once: a resumed run finds it among its
events.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from ownvoice import events
from ownvoice.config import TrainingSettings
from ownvoice.events import EventLog
from ownvoice.model.load import Recogniser
from ownvoice.model.loss import LabelLoss
from ownvoice.model.transcribe import BATCH_SIZE, batches_by_length
from ownvoice.rundir import RunFolder
from ownvoice.training.dev import DevLook, Score, encoded_batch, look_at_dev
from ownvoice.training.ending import heed
from ownvoice.training.examples import Example, ExampleMaker

MARGIN = 0.3
"""Nats a token that short windows may cost at most: each token of what was said is then a quarter less likely. A voice
was learned as well from short windows where these cost the base 0.12; what is not heard at all costs 1.6 or more
(docs/performance.md)."""
CONFIDENCE = 0.95
"""Of the bound that is held against it, on one side."""


@dataclass(frozen=True)
class _Apart:
    """How what the base expects in short windows differs from what it expects in whole ones, told what was said."""

    divergence: float
    """As in :class:`ownvoice.events.Windows`."""
    losses: tuple[float, ...]
    """For each recording, how much more a token of it costs in short windows (nats)."""


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
    """Let the base model hear the dev set in whole and in short windows, and choose between them.

    Short windows are chosen if the WER is no higher in them, and the loss of what was said is with 95 % confidence at
    most :data:`MARGIN` higher: a test of non-inferiority on paired differences. A WER of 100 % or more in both says
    nothing, and the loss alone decides. What ``before_batch`` raises ends the comparison.
    """
    whole, short = (
        look_at_dev(recogniser, maker, dev, settings.language, score, before_batch, short=short)
        for short in (False, True)
    )
    apart = _expectations_apart(recogniser, maker, dev, settings.language, before_batch)
    bound = upper_bound(apart.losses)
    tells_nothing = min(whole.wer, short.wer) >= 1
    difference = math.fsum(apart.losses) / len(apart.losses)
    chosen: Literal["standard", "short"] = "standard"
    if short.wer > whole.wer and not tells_nothing:
        why = "the base model hears the dev set worse in short ones"
    elif bound is None or bound > MARGIN:
        why = "the dev set does not show that the base model hears as well in short ones"
    else:
        chosen, why = "short", "the base model hears the dev set no worse in them"
    return events.Windows(
        chosen=chosen,
        standard_wer=whole.wer,
        short_wer=short.wer,
        standard_loss=whole.loss,
        short_loss=short.loss,
        divergence=apart.divergence,
        loss_difference=difference,
        loss_bound=bound,
        why=f"{why} ({_figures(whole, short, difference, bound)})",
    )


def upper_bound(differences: Sequence[float]) -> float | None:
    """What the mean of such differences is at most, with :data:`CONFIDENCE`: Student's t, one-sided.

    None of fewer than three differences, which tell little of how much they scatter.
    """
    count = len(differences)
    if count < 3:
        return None
    spread = statistics.stdev(differences) / math.sqrt(count)
    return statistics.fmean(differences) + _student_quantile(count - 1) * spread


def _student_quantile(freedom: int) -> float:
    """Where :data:`CONFIDENCE` of Student's t distribution lies below, to 0.3 % from two degrees of freedom on.

    Abramowitz and Stegun, Handbook of Mathematical Functions, 1964, 26.7.5: around the normal quantile.
    """
    z = statistics.NormalDist().inv_cdf(CONFIDENCE)
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return math.fsum(term / float(freedom) ** power for power, term in enumerate(terms))


def _figures(whole: DevLook, short: DevLook, difference: float, bound: float | None) -> str:
    said = f"WER {short.wer:.1%} in short windows, {whole.wer:.1%} in whole ones; "
    said += f"loss {difference:+.2f} nats a token in short ones, "
    if bound is None:
        return said + "of too few recordings to be sure"
    return said + f"with {CONFIDENCE:.0%} confidence at most {bound:+.2f}, and {MARGIN:+.2f} is allowed"


@torch.no_grad()
def _expectations_apart(
    recogniser: Recogniser,
    maker: ExampleMaker,
    dev: Sequence[Example],
    language: str | None,
    before_batch: Callable[[], None],
) -> _Apart:
    """Ask the base what it expects next, told the transcript so far, in whole and in short windows."""
    loss_of = LabelLoss(recogniser.model)
    lengths = [example.sounds[0].samples for example in dev]
    divergence, losses = 0.0, [0.0] * len(dev)
    # Groups of one short window are of one whole window too, so both see the same clips in the same order.
    for _, group in batches_by_length(lengths, recogniser.window, BATCH_SIZE, short=True):
        before_batch()
        chosen = [dev[index] for index in group]
        batches = [encoded_batch(recogniser, maker, chosen, language, short=short)[0] for short in (False, True)]
        whole, short = (
            recogniser.model.lm_head(loss_of.label_states(batch)).float().log_softmax(-1) for batch in batches
        )
        divergence += torch.nn.functional.kl_div(short, whole, reduction="sum", log_target=True).item()
        labels = batches[0].labels.unsqueeze(-1)
        dearer = (whole.gather(-1, labels) - short.gather(-1, labels)).squeeze(-1)
        for index, tokens in zip(group, torch.split(dearer, [len(example.target) for example in chosen]), strict=True):
            losses[index] = tokens.mean().item()
    return _Apart(divergence / sum(len(example.target) for example in dev), tuple(losses))
