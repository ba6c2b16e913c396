"""The most memory a process ever held."""

from __future__ import annotations

from pathlib import Path


def peak_bytes() -> int:
    """Of this process, resident (Linux; ``ru_maxrss`` begins with what its parent held)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
