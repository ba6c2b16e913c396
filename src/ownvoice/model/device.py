"""Which device computes, in which precision, and what both are called in a message.

Picks nothing else: batch sizes and memory belong to training.
"""

from __future__ import annotations

import torch

from ownvoice.errors import ModelError
from ownvoice.model.processor import cpu_has_bf16
from ownvoice.quantities import counted


def choose_device(asked: str | None = None) -> torch.device:
    """The device asked for, or the best this machine has: CUDA, then Apple's GPU, then the CPU.

    Raises
    ------
    ModelError
        when ``asked`` is no device, or this machine has none of that kind.
    """
    if asked is None:
        asked = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(asked)
    except RuntimeError:
        raise ModelError(f"there is no kind of device called {asked!r}", mend="Use cpu, cuda or mps.") from None
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not present.get(device.type, False):
        raise ModelError(f"this machine has no device {asked!r} that torch can use", mend="Leave the device out.")
    if device.type == "cuda" and device.index is None:
        # By name, since the threads in which transformers loads weights do not know which card a launcher chose.
        device = torch.device("cuda", torch.cuda.current_device())
    return device


def computing_dtype(device: torch.device, kept: torch.dtype = torch.bfloat16) -> torch.dtype:
    """The precision a model computes in on ``device``: bfloat16 where the hardware has it, else float32.

    float16 is never chosen: Voxtral was trained in bfloat16 and its activations overflow float16's range. On a CPU
    only weights that are kept in bfloat16, as Voxtral's are, compute in it; a model as small as the built-in one is no
    slower in float32, and there the same on every machine.

    Parameters
    ----------
    kept
        Precision in which the model's files hold its weights.
    """
    if device.type == "cuda":
        has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        has_bf16 = device.type == "cpu" and kept == torch.bfloat16 and cpu_has_bf16()
    return torch.bfloat16 if has_bf16 else torch.float32


def describe_device(device: torch.device) -> str:
    """A name a person knows: "CPU (2 threads)", "NVIDIA H100 (cuda:0)", "Apple GPU"."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)} ({device})"
    if device.type == "mps":
        return "Apple GPU"
    return f"CPU ({counted(torch.get_num_threads(), 'thread')})"
