"""Tensors that FSDP2 has spread over the processes: gathered whole for a file, and spread again from one.

So what is on disk does not depend on how many processes there were. All of them make each call here, in the same
order; a tensor that is not spread is taken as it is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

import torch
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor, distribute_tensor

from ownvoice.training.processes import ProcessGroup


def gathered(named: Iterable[tuple[str, torch.Tensor]], group: ProcessGroup) -> dict[str, torch.Tensor]:
    """The tensors whole and in the computer's memory; in the main process alone, since only it writes files."""
    found = {}
    for name, tensor in named:
        if group.is_main or group.is_sharded:
            full = tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
            if group.is_main:
                found[name] = full.detach().cpu().contiguous()
    return found


@contextlib.contextmanager
def whole_root(module: torch.nn.Module) -> Iterator[None]:
    """Within the block, weights that no layer of its own holds are whole, for who calls parts of ``module`` by name.

    FSDP2 gathers a layer when it is called, and the rest (embeddings, projector, head) when ``module`` itself is.
    """
    if not isinstance(module, FSDPModule):
        yield
        return
    module.unshard()
    try:
        yield
    finally:
        module.reshard()


def laid_out(tensor: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """``tensor``, which every process has whole, on the device of ``like`` and spread as it is."""
    if isinstance(like, DTensor):
        return distribute_tensor(tensor.to(like.device), like.device_mesh, like.placements)
    return tensor.to(like.device)
