"""What another process of ownvoice could not do, from what it wrote on stderr. Nothing else is read from there."""

from __future__ import annotations

_BEGINS = "ownvoice: "
"""How the command line begins what it could not do; before it may stand what it was doing."""


def complaint_in(stderr: bytes) -> str | None:
    """The complaint, what is wrong and how to mend it, or None where there is none."""
    text = stderr.decode("utf-8", errors="replace").strip()
    return text.rpartition(_BEGINS)[2] or None
