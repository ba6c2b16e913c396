"""What the processor computes in hardware; asked without torch, so that it can be told before anything is loaded."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_HAS_BF16 = {"avx512_bf16", "amx_bf16", "bf16"}  # the last is ARM's


@cache
def cpu_has_bf16() -> bool:
    """Whether the processor multiplies bfloat16 matrices itself, some times faster than float32.

    Told by Linux alone; of other systems it is not known, and False.
    """
    try:
        abilities = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return not _HAS_BF16.isdisjoint(abilities.split())
