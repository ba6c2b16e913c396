"""The nearest settings of a training that fit a machine: as few changes of what was asked for as will do.

What fits is told by whoever asks (:mod:`ownvoice.workflow.needs`); nothing is measured here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ownvoice.config import TINY, VOXTRAL_MINI, TrainingSettings, merged
from ownvoice.workflow.failures import less_memory

Fits = Callable[[Mapping[str, Any]], bool]
"""Whether a training with these changes fits."""


def nearest_changes(settings: TrainingSettings, fits: Fits, *, card: bool) -> dict[str, Any] | None:
    """The first of ever smaller choices that fits, less every change on the way to it that turns out not to be needed.

    With a base in 4 bits, say, there may be room for the whole batch that was asked for. None where nothing fits.

    Parameters
    ----------
    card
        Whether a graphics card trains.
    """
    changes = next(filter(fits, _alternatives(settings, card)), None)
    if changes is None:
        return None
    for name in ("optimiser", "checkpointing", "method"):
        fewer = {key: value for key, value in changes.items() if key != name}
        if name in changes and fits(fewer):
            changes = fewer
    return _with_largest_batch(settings, changes, fits)


def _with_largest_batch(settings: TrainingSettings, changes: dict[str, Any], fits: Fits) -> dict[str, Any]:
    """The same with as many recordings at a time as fit, and as many in a step as were asked for."""
    batch, smallest = settings.batch_size, changes.get("batch_size", settings.batch_size)
    rest = {key: value for key, value in changes.items() if key not in ("batch_size", "accumulate")}
    while batch > smallest:
        accumulate = round(settings.batch_size * settings.accumulate / batch)
        divided = {} if batch == settings.batch_size else {"batch_size": batch, "accumulate": accumulate}
        if fits(rest | divided):
            return rest | divided
        batch //= 2
    return changes


def _alternatives(settings: TrainingSettings, card: bool) -> Iterator[dict[str, Any]]:
    """Ever smaller choices: the same in smaller batches, adapters, thinner ones; then a smaller base model.

    A base in 4 bits is offered on graphics cards alone: a processor spends most of its time unpacking it.
    """
    changes: dict[str, Any] = {}
    smaller = settings
    for _ in range(12):  # enough to halve any batch and rank down to one
        changes = merged(changes, less_memory(smaller))
        smaller = TrainingSettings.make(merged(settings.model_dump(), changes))
        if not card and smaller.method == "qlora" and settings.method != "qlora":
            break
        yield changes
    for base in (VOXTRAL_MINI, TINY):
        yield {"base_model": base, "method": "lora"}
