"""Gradients of one optimiser step, also when memory runs out on the way to them.

The loss of a step is the mean over the labels of all its utterances, however these are divided into forward passes. So
when memory runs out, what was gathered of the gradients is dropped, every pass is halved, and the step begins again:
its loss and its gradients come out the same (but for dropout, whose masks depend on the division). From then on passes
stay halved. Clips no gradients and moves no weights: :mod:`ownvoice.training.loop` does.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ownvoice.config import TrainingSettings
from ownvoice.errors import MemoryShortageError
from ownvoice.model.device import describe_device
from ownvoice.training.ending import is_memory_shortage
from ownvoice.training.examples import Example, ExampleMaker
from ownvoice.training.plan import Step, step_seed

if TYPE_CHECKING:
    from accelerate import Accelerator

Pass = Sequence[Example]
"""Utterances of one forward pass."""


@dataclass(frozen=True)
class StepLoss:
    """What came out of a step's forward passes; the gradients are with the parameters."""

    loss: float
    """Mean negative log-likelihood of a label token (nats)."""
    unsound: tuple[Example, ...]
    """The utterances of the first pass whose loss is no number; none where all are."""


class StepGradients:
    """Gathers the gradients of one step after the other, and remembers how small its passes had to become."""

    def __init__(
        self,
        settings: TrainingSettings,
        maker: ExampleMaker,
        loss: torch.nn.Module,
        optimiser: torch.optim.Optimizer,
        accelerator: Accelerator,
        *,
        before_pass: Callable[[], None],
        tell: Callable[[str], None],
    ) -> None:
        """``before_pass`` may end the step by raising; ``tell`` is handed a sentence when passes are halved."""
        self._settings, self._maker = settings, maker
        self._loss, self._optimiser, self._accelerator = loss, optimiser, accelerator
        self._before_pass, self._tell = before_pass, tell
        self.halvings = 0
        """How often the passes were halved since the run began; part of its state, since dropout depends on it."""

    def gather(self, step: Step, batches: Sequence[Pass]) -> StepLoss:
        """Add up the gradients of ``batches``, the utterances of ``step``.

        Raises
        ------
        MemoryShortageError
            when there is too little memory even for one utterance at a time.
        """
        while True:
            passes = _halved(batches, self.halvings)
            try:
                return self._gather(step, passes)
            except (RuntimeError, MemoryError, OSError) as error:
                if not is_memory_shortage(error):
                    raise
                if max(map(len, passes)) == 1:
                    raise self._shortage() from None
            # Only out here is the error gone, and with it every tensor that its traceback still held.
            self._make_room()
            self.halvings += 1
            self._tell(_sentence(step, passes, _halved(batches, self.halvings)))

    def _gather(self, step: Step, passes: Sequence[Pass]) -> StepLoss:
        """One try; the device is waited for once, at the end."""
        seed = self._settings.seed
        torch.manual_seed(step_seed(seed, "dropout", step.number))
        masks = None
        if self._settings.augment.specaugment:
            masks = torch.Generator().manual_seed(step_seed(seed, "masks", step.number))
        labels = sum(len(example.target) for examples in passes for example in examples)
        losses = []
        for examples in passes:
            self._before_pass()
            batch = self._maker.batch(examples, step.epoch, masks, short=step.short).to(self._accelerator.device)
            loss = self._loss(batch) / labels
            self._accelerator.backward(loss)
            losses.append(loss.detach())
        total = float(sum(losses))
        if math.isfinite(total):
            return StepLoss(total, ())
        unsound = next((examples for examples, loss in zip(passes, losses, strict=True) if not loss.isfinite()), ())
        return StepLoss(total, tuple(unsound))

    def _make_room(self) -> None:
        self._optimiser.zero_grad()
        gc.collect()
        if self._accelerator.device.type == "cuda":
            torch.cuda.empty_cache()

    def _shortage(self) -> MemoryShortageError:
        return MemoryShortageError(
            f"{describe_device(self._accelerator.device)} has too little memory for even one recording at a time",
            mend="Close other programs and go on with --resume, or start a run with --checkpointing always, with "
            "--method qlora, or with a smaller base model.",
        )


def _halved(batches: Sequence[Pass], times: int) -> list[Pass]:
    """Each batch in ``2 ** times`` passes of about the same size, none of them empty, in the same order."""
    passes = list(batches)
    for _ in range(times):
        passes = [part for one in passes for part in (one[: (len(one) + 1) // 2], one[(len(one) + 1) // 2 :]) if part]
    return passes


def _sentence(step: Step, before: Sequence[Pass], after: Sequence[Pass]) -> str:
    was, now = max(map(len, before)), max(map(len, after))
    return (
        f"Memory ran out in step {step.number + 1}. From here on {now} instead of {was} recordings are heard at a "
        "time. What is learned stays the same; it takes a little longer."
    )
