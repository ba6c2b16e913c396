"""What this machine can train, and why not more: findings with their remedies, for ``ownvoice doctor``.

It looks and changes nothing, opens no connection, and never shows a token.
"""

from __future__ import annotations

import platform
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ownvoice.credentials import hub_token

GIGABYTE = 10**9

_LIBRARIES = ("ownvoice", "torch", "transformers", "peft", "accelerate", "mistral-common", "huggingface_hub")
_CARDS = (12, 16, 24, 32, 48, 80, 141)
"""Gigabytes of memory of the graphics cards people own or rent."""
_DISK_WANTED = 15 * GIGABYTE
"""Voxtral-Mini-3B's weights are 9.4 GB; the rest is room for caches, checkpoints and recordings."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    name: str
    value: str
    ok: bool
    remedy: str = ""
    """What to do about it; empty where nothing needs doing."""


@dataclass(frozen=True)
class Fit:
    """Whether one base model can be trained here in one way."""

    base_model: str
    method: str
    needed_bytes: int
    available_bytes: int

    @property
    def fits(self) -> bool:
        return self.needed_bytes <= self.available_bytes

    @property
    def remedy(self) -> str:
        """The smallest usual card that would do; empty where it fits here."""
        if self.fits:
            return ""
        card = next((size for size in _CARDS if size * GIGABYTE >= self.needed_bytes), None)
        return (
            f"Use a GPU with {card} GB." if card else "Too large for one GPU: train adapters (lora) or a smaller model."
        )


@dataclass(frozen=True)
class Diagnosis:
    """Everything ``ownvoice doctor`` found; ``fits`` in the order of size."""

    findings: tuple[Finding, ...]
    fits: tuple[Fit, ...]


def examine(folder: Path) -> Diagnosis:
    """Look at this machine; ``folder`` is where voices will lie, for the free disk space."""
    from ownvoice.model.device import choose_device, computing_dtype, describe_device
    from ownvoice.training.preflight import MINI_3B, SMALL_24B, device_memory, estimate_memory

    device = choose_device()
    bf16 = str(computing_dtype(device)) == "torch.bfloat16"
    memory = device_memory(device)
    accelerated = device.type != "cpu"
    findings = (
        Finding("Python", platform.python_version(), sys.version_info >= (3, 11), ""),
        *(_library(name) for name in _LIBRARIES),
        Finding(
            "device",
            describe_device(device),
            accelerated,
            ""
            if accelerated
            else "The built-in model trains here; for Voxtral itself use a machine with an NVIDIA GPU.",
        ),
        Finding("precision", "bfloat16" if bf16 else "float32", True),
        Finding("memory", f"{memory.free / GIGABYTE:.1f} GB free of {memory.total / GIGABYTE:.1f} GB", True),
        _disk(folder),
        _hub_login(),
    )
    fits = tuple(
        Fit(shape.name, method, estimate_memory(shape, method, bf16=bf16).total, memory.free)
        for shape in (MINI_3B, SMALL_24B)
        for method in ("lora", "full")
    )
    return Diagnosis(findings, fits)


def _library(name: str) -> Finding:
    try:
        return Finding(name, version(name), True)
    except PackageNotFoundError:
        return Finding(name, "missing", False, f"Install it with: pip install {name}")


def _disk(folder: Path) -> Finding:
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    enough = free >= _DISK_WANTED
    remedy = "" if enough else f"Voxtral-Mini-3B needs about {_DISK_WANTED // GIGABYTE} GB: free some space."
    return Finding("disk", f"{free / GIGABYTE:.1f} GB free in {existing}", enough, remedy)


def _hub_login() -> Finding:
    if hub_token() is None:
        return Finding(
            "Hub login",
            "none",
            True,
            "Only needed to publish, or to read private data: make a token on huggingface.co and run `hf auth login`.",
        )
    return Finding("Hub login", "present", True)
