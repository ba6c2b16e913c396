"""What happens in each step of a run, as a function of the settings alone: order, windows, learning rate, looks at dev.

Nothing here remembers anything, so a resumed run meets the same batches in the same order as one never stopped.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ownvoice.config import OptimiserSettings, TrainingSettings

POOL = 8
"""Batches sorted by length together: enough that a batch's clips are alike, few enough that its company changes."""

Length = tuple[int, ...]
"""What an example's forward pass costs, in numbers that sort like with like."""


@dataclass(frozen=True)
class Step:
    """One optimiser step: the examples (by index) of each of its forward passes."""

    number: int
    """From 0."""
    epoch: int
    """From 0."""
    batches: tuple[tuple[int, ...], ...]
    short: bool = False
    """Whether its clips are heard in short windows."""


@dataclass(frozen=True)
class Plan:
    """The steps of a run."""

    lengths: tuple[Length, ...]
    batch_size: int
    accumulate: int
    epochs: int
    seed: int
    dev_every: float
    """Epochs."""
    short_share: float = 0.0
    """Share of the steps in short windows."""

    @classmethod
    def of(cls, settings: TrainingSettings, lengths: Sequence[Length]) -> Plan:
        return cls(
            lengths=tuple(lengths),
            batch_size=settings.batch_size,
            accumulate=settings.accumulate,
            epochs=settings.epochs,
            seed=settings.seed,
            dev_every=settings.dev.every,
            short_share=settings.short_share if settings.window == "short" else 0.0,
        )

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(math.ceil(len(self.lengths) / self.batch_size) / self.accumulate)

    @property
    def total(self) -> int:
        """Optimiser steps of the whole run."""
        return self.steps_per_epoch * self.epochs

    def steps_from(self, first: int) -> Iterator[Step]:
        """The steps that are left when ``first`` are done."""
        for epoch in range(first // self.steps_per_epoch, self.epochs):
            batches = epoch_batches(self.lengths, self.batch_size, self.seed, epoch)
            for position in range(self.steps_per_epoch):
                number = epoch * self.steps_per_epoch + position
                if number >= first:
                    start = position * self.accumulate
                    taken = tuple(map(tuple, batches[start : start + self.accumulate]))
                    yield Step(number, epoch, taken, self._is_short(number))

    def _is_short(self, number: int) -> bool:
        return step_seed(self.seed, "window", number) < self.short_share * 2**56

    def looks_at_dev(self, done: int) -> bool:
        """Whether the dev set is transcribed when ``done`` steps are done: each ``dev_every`` epochs and at the end."""
        return done % self._steps_per_look == 0 or done == self.total

    def looks_after(self, done: int) -> int:
        """How often the dev set is still transcribed when ``done`` steps are done and looked at."""
        return math.ceil(self.total / self._steps_per_look) - done // self._steps_per_look if done < self.total else 0

    @property
    def _steps_per_look(self) -> int:
        return max(1, round(self.dev_every * self.steps_per_epoch))


def epoch_batches(lengths: Sequence[Length], batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """Shuffled batches of examples of similar length; every index is in exactly one."""
    dice = random.Random(step_seed(seed, "order", epoch))  # noqa: S311 (no secret)
    order = list(range(len(lengths)))
    dice.shuffle(order)
    pool = POOL * batch_size
    batches = []
    for start in range(0, len(order), pool):
        alike = sorted(order[start : start + pool], key=lambda index: lengths[index])
        batches += [alike[first : first + batch_size] for first in range(0, len(alike), batch_size)]
    dice.shuffle(batches)
    return batches


def step_seed(seed: int, purpose: str, number: int) -> int:
    """A seed of its own for each purpose and step, so that none depends on how the run got there."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{purpose}:{number}".encode()).digest()[:7])


def learning_rate(step: int, total: int, peak: float, settings: OptimiserSettings) -> float:
    """Learning rate of a step (from 0): a linear rise over the warm-up, then a fall towards zero.

    The cosine is that of Loshchilov & Hutter 2017 without restarts.
    """
    rise = round(settings.warmup * total)
    if step < rise:
        return peak * (step + 1) / (rise + 1)
    done = (step - rise) / max(1, total - rise)
    return peak * (0.5 * (1 + math.cos(math.pi * done)) if settings.schedule == "cosine" else 1 - done)
