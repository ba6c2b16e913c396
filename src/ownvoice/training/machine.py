"""``python -m ownvoice.training.machine``: what this machine trains with, as JSON on stdout.

For a process that must not load torch itself, as the app's: it asks a short-lived one (:mod:`ownvoice.workflow.needs`).
"""

from __future__ import annotations

import json
import sys
import time

import torch

from ownvoice.model.device import choose_device, computing_dtype, describe_device
from ownvoice.training.preflight import device_memory

SIDE = 4096
"""Rows and columns of the matrices multiplied to measure the speed: large enough to fill a graphics card."""


def describe() -> dict[str, object]:
    """``{"device", "name", "bf16", "memory_total", "memory_free", "flops"}``; bytes, operations a second."""
    device = choose_device()
    dtype = computing_dtype(device)
    memory = device_memory(device)
    return {
        "device": device.type,
        "name": describe_device(device),
        "bf16": dtype == torch.bfloat16,
        "memory_total": memory.total,
        "memory_free": memory.free,
        "flops": _measure(device, dtype),
    }


def _measure(device: torch.device, dtype: torch.dtype) -> float:
    """Operations a second of a large matrix product, the best of three."""
    matrix = torch.ones(SIDE, SIDE, device=device, dtype=dtype)
    best = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        (matrix @ matrix)[0, 0].item()  # waits for the device
        best = min(best, time.perf_counter() - began)
    return 2.0 * SIDE**3 / best


if __name__ == "__main__":
    json.dump(describe(), sys.stdout)
