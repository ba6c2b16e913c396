"""Numbers, bytes and seconds as a person reads them. What they are of is said by who asks; nothing is measured here."""

from __future__ import annotations


def counted(number: float, one: str, many: str = "") -> str:
    """A number of things: "1 recording", "2,000 recordings"; ``many`` where the plural takes more than an s."""
    return f"{number:,.12g} {one if number == 1 else many or one + 's'}"


def readable_size(size: int) -> str:
    """Bytes as people write them: 1.2 MB."""
    if size < 1000:
        return counted(size, "byte")
    for unit in ("kB", "MB"):
        size_in = size / (1e3 if unit == "kB" else 1e6)
        if size_in < 1000:
            return f"{size_in:.1f} {unit}"
    return f"{size / 1e9:.1f} GB"


def duration(seconds: float) -> str:
    """Seconds for a person: "40 seconds", "12 minutes", "3.5 hours", "4 days"."""
    if seconds < 90:
        return counted(max(1, round(seconds)), "second")
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} minutes"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.1f} hours"
    return f"{seconds / 86400:.0f} days"
