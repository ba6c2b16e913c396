"""Gradients of one optimiser step, by however many processes, also when memory runs out on the way to them.

The loss of a step is the mean over the labels of all its utterances, however these are divided into forward passes. So
the passes are dealt out to the processes and their gradients added up; and when memory runs out in one of them, what
was gathered is dropped, every pass is halved, and the step begins again. Loss and gradients come out the same, but for
dropout and SpecAugment, whose masks depend on the division into passes. (That is the same for any number of processes
up to ``accumulate``; where there are more, passes are halved for them.) From then on passes stay halved. Clips no
gradients and moves no weights: :mod:`ownvoice.training.loop` does.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch

from ownvoice.config import TrainingSettings
from ownvoice.errors import MemoryShortageError, is_memory_shortage
from ownvoice.model.device import describe_device
from ownvoice.model.loss import Batch
from ownvoice.training.examples import Example, ExampleMaker
from ownvoice.training.plan import Step, step_seed
from ownvoice.training.processes import ProcessGroup

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
        group: ProcessGroup,
        *,
        before_pass: Callable[[], None],
        tell: Callable[[str], None],
    ) -> None:
        """``before_pass`` may end the step by raising; ``tell`` is handed a sentence when passes are halved."""
        self._settings, self._maker = settings, maker
        self._loss, self._optimiser, self._accelerator, self._group = loss, optimiser, accelerator, group
        self._before_pass, self._tell = before_pass, tell
        self.halvings = 0
        """How often the passes were halved since the run began; part of its state, since dropout depends on it."""

    def gather(self, step: Step, batches: Sequence[Pass]) -> StepLoss:
        """Add up the gradients of ``batches``, the utterances of ``step``, over all processes.

        Raises
        ------
        MemoryShortageError
            when there is too little memory even for one utterance at a time.
        OwnvoiceError
            what ``before_pass`` raised in any of the processes.
        """
        while True:
            passes = self._divided(batches)
            shares = self._group.together(partial(self._try, step, passes))
            if not any(share is None for share in shares):
                if not self._group.is_sharded:
                    self._group.add_up(self._trained_gradients())
                return _step_loss(passes, self._group.deal([share or [] for share in shares]))
            if max(map(len, passes)) == 1:
                raise self._shortage()
            self._make_room()
            self.halvings += 1
            self._tell(_sentence(step, passes, self._divided(batches)))

    def _divided(self, batches: Sequence[Pass]) -> list[Pass]:
        """The passes of a step: ``batches``, halved for want of memory, and so that each process has one."""
        for_all = max(0, math.ceil(math.log2(self._group.size / self._settings.accumulate)))
        return _halved(batches, self.halvings + for_all)

    def _try(self, step: Step, passes: Sequence[Pass]) -> list[float] | None:
        """Losses of this process's share of the passes; None where memory ran out.

        An error's traceback holds tensors, so nothing is freed before it is gone: by the time this returns.
        """
        try:
            return self._gather(step, passes)
        except (RuntimeError, MemoryError, OSError) as error:
            if self._group.is_sharded or not is_memory_shortage(error):
                raise  # half-way through a pass that takes all processes, none of them can begin again
        return None

    def _gather(self, step: Step, passes: Sequence[Pass]) -> list[float]:
        """One try; the device is waited for once, at the end."""
        labels = sum(len(example.target) for examples in passes for example in examples)
        own = list(self._group.share(list(enumerate(passes))))
        losses: list[torch.Tensor] = []
        for place, examples in own + self._idle(own, passes):
            batch = self._batch(step, place, examples)
            torch.manual_seed(step_seed(self._settings.seed, f"dropout:{place}", step.number))
            loss = self._loss(batch.to(self._accelerator.device)) / labels
            # FSDP2 takes the mean of the processes' gradients, and a pass that is made for company counts for nothing
            weight = (len(losses) < len(own)) * self._group.size if self._group.is_sharded else 1
            self._accelerator.backward(loss * weight)
            losses.append(loss.detach())
        return torch.stack(losses).tolist()[: len(own)] if own else []

    def _idle(self, own: Sequence[tuple[int, Pass]], passes: Sequence[Pass]) -> list[tuple[int, Pass]]:
        """Passes to make for company: processes that share the weights need each other in every pass."""
        rounds = math.ceil(len(passes) / self._group.size) if self._group.is_sharded else 0
        return [(len(passes) - 1, passes[-1])] * (rounds - len(own))

    def _batch(self, step: Step, place: int, examples: Pass) -> Batch:
        made: list[Batch] = []

        def make() -> None:
            self._before_pass()
            masks = None
            if self._settings.augment.specaugment:
                masks = torch.Generator().manual_seed(step_seed(self._settings.seed, f"masks:{place}", step.number))
            made.append(self._maker.batch(examples, step.epoch, masks, short=step.short))

        self._group.hand_in_hand(make)
        return made[0]

    def _trained_gradients(self) -> Iterator[torch.Tensor]:
        for group in self._optimiser.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:  # there were fewer utterances than processes
                    parameter.grad = torch.zeros_like(parameter)
                yield parameter.grad

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


def _step_loss(passes: Sequence[Pass], losses: Sequence[float]) -> StepLoss:
    unsound = next((examples for examples, loss in zip(passes, losses, strict=True) if not math.isfinite(loss)), ())
    return StepLoss(sum(losses), tuple(unsound))


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
