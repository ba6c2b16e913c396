"""Several processes that train one run together, a graphics card each (``accelerate launch -m ownvoice train ...``).

All follow the first, the main process: it alone writes the run's folder, and it names the run the others take part in.
What one of them cannot do ends all of them in the same words, and one that is killed is missed by the others at once.
A process that is alone does all of this with itself, at no cost and without torch. Which forward passes a process does
is :mod:`ownvoice.training.step`'s choice.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ownvoice.errors import OwnvoiceError, ProcessLostError

if TYPE_CHECKING:
    import torch

T = TypeVar("T")

PATIENCE = timedelta(days=7)
"""How long a process waits for another that lives: the main one may download a model first. One that dies closes its
connections, and is missed within a second."""
BUCKET_BYTES = 64 * 2**20
"""Gradients are added up in pieces of about this size: few messages, and little memory beside them."""

_MEND = "What was wrong stands above, if it had time to say so. All up to the last checkpoint is kept: use --resume."


@dataclass(frozen=True)
class ProcessGroup:
    """The processes of one launch, seen from one of them."""

    rank: int = 0
    """Place of this process, from 0."""
    size: int = 1
    is_sharded: bool = False
    """Whether each holds a part of the weights (FSDP2), so that all do the same forward passes at the same time."""
    control: Any = None
    """The ``torch.distributed`` group for decisions, over gloo on the host whatever the device computes with."""

    @property
    def is_main(self) -> bool:
        return self.rank == 0

    def share(self, items: Sequence[T]) -> Sequence[T]:
        """This process's part of ``items``: every ``size``-th of them."""
        return items[self.rank :: self.size]

    def deal(self, shares: Sequence[Sequence[T]]) -> list[T]:
        """The items of which :meth:`share` gave each process its part, in their order again."""
        return [shares[place % self.size][place // self.size] for place in range(sum(map(len, shares)))]

    def together(self, work: Callable[[], T]) -> list[T]:
        """What each process makes of ``work``, by rank; all wait for the slowest.

        Raises
        ------
        OwnvoiceError
            in every process, when one of them raised it.
        ProcessLostError
            when one of them is no longer there.
        """
        if self.size == 1:
            return [work()]
        import torch

        mine = _attempt(work)
        outcomes: list[_Outcome] = [mine] * self.size
        with _missing():
            torch.distributed.all_gather_object(outcomes, mine, group=self.control)
        for outcome in (mine, *outcomes):
            if outcome.error is not None:
                raise outcome.error
        return [cast(T, outcome.value) for outcome in outcomes]

    def by_main(self, work: Callable[[], T]) -> T:
        """What the main process alone makes of ``work``; errors as :meth:`together`."""
        return cast(T, self.together(work if self.is_main else lambda: None)[0])

    def hand_in_hand(self, work: Callable[[], None]) -> None:
        """Do ``work`` before something that takes all processes at once: where they share the weights, together."""
        if self.is_sharded:
            self.together(work)
        else:
            work()

    def add_up(self, tensors: Iterable[torch.Tensor]) -> None:
        """Replace each tensor by its sum over all processes.

        Raises
        ------
        ProcessLostError
            when one of them is no longer there.
        """
        if self.size == 1:
            return
        import torch

        for bucket in _buckets(tensors):
            flat = torch.cat([tensor.flatten() for tensor in bucket])
            with _missing():
                torch.distributed.all_reduce(flat)
            for tensor, total in zip(bucket, torch.split(flat, [tensor.numel() for tensor in bucket]), strict=True):
                tensor.copy_(total.view_as(tensor))

    def lead(self, run: str | None) -> None:
        """By the main process: have the others take part in training ``run``; None lets them go home."""
        self.by_main(lambda: run)

    def calls(self) -> Iterator[str]:
        """By the others: each run to take part in, until they are let go."""
        while (run := self.by_main(lambda: None)) is not None:
            yield run


ALONE = ProcessGroup()
"""What a process is in that nobody launched beside others."""


def is_follower() -> bool:
    """Whether a launcher started this process beside a main one."""
    return _launched() > 1 and int(os.environ.get("RANK", "0")) > 0


def shares_weights() -> bool:
    """Whether the processes of this launch are to hold a part of the weights each: a launcher's word to accelerate."""
    return _launched() > 1 and os.environ.get("ACCELERATE_USE_FSDP") == "true"


@cache
def join_group() -> ProcessGroup:
    """The group this process was launched in: its device is chosen here, and waits for the others to come.

    From here on SIGTERM, by which a launcher ends the processes that are left when one is killed, raises
    :class:`~ownvoice.errors.ProcessLostError`, so that the run's last event can be written.
    """
    if _launched() == 1:
        return ALONE
    import torch
    from accelerate import PartialState

    with _missing():
        state = PartialState(cpu=not torch.cuda.is_available(), timeout=PATIENCE)
        control = torch.distributed.new_group(backend="gloo", timeout=PATIENCE)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _end)
        signal.signal(signal.SIGINT, _end)
    return ProcessGroup(state.process_index, state.num_processes, shares_weights(), control)


@contextlib.contextmanager
def leading() -> Iterator[ProcessGroup]:
    """The group, whose other processes are let go at the end: also after an error all of them know of."""
    group = join_group()
    try:
        yield group
    except ProcessLostError:
        raise
    except OwnvoiceError:
        group.lead(None)
        raise
    group.lead(None)


def _launched() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))


@dataclass(frozen=True)
class _Outcome:
    value: object = None
    error: OwnvoiceError | None = None


def _attempt(work: Callable[[], object]) -> _Outcome:
    try:
        return _Outcome(work())
    except ProcessLostError:
        raise
    except OwnvoiceError as error:
        return _Outcome(error=error)


def _buckets(tensors: Iterable[torch.Tensor]) -> Iterator[list[torch.Tensor]]:
    """Tensors in groups of one precision and about :data:`BUCKET_BYTES`."""
    bucket: list[torch.Tensor] = []
    for tensor in tensors:
        if bucket and (tensor.dtype != bucket[0].dtype or sum(one.nbytes for one in bucket) > BUCKET_BYTES):
            yield bucket
            bucket = []
        bucket.append(tensor)
    if bucket:
        yield bucket


@contextlib.contextmanager
def _missing() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # torch.distributed knows no finer one: "Connection closed by peer"
        raise ProcessLostError("another of the processes that train this run has ended", mend=_MEND) from error


def _end(number: int, frame: FrameType | None) -> None:
    for again in (signal.SIGTERM, signal.SIGINT):  # launchers send more than one, and the run is ending already
        signal.signal(again, signal.SIG_IGN)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise ProcessLostError("the processes that train this run were ended, or one of them was", mend=_MEND)
