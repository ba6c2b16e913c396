"""Says before a training begins what it needs, and refuses one that cannot work here, with the nearest that can.

The arithmetic is :mod:`ownvoice.workflow.needs`'; here are the sentences for a terminal. The app's page has its own.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from ownvoice.config import TrainingSettings, flattened
from ownvoice.errors import DiskFullError, MemoryShortageError
from ownvoice.quantities import duration
from ownvoice.quantities import readable_size as size
from ownvoice.rundir import VoiceFolder
from ownvoice.training.preflight import PROCESS_BYTES
from ownvoice.workflow.needs import Need, Preflight, preflight


def require_room(voice: VoiceFolder, settings: TrainingSettings) -> Preflight:
    """What training needs here; nothing is downloaded or loaded.

    Raises
    ------
    MemoryShortageError, DiskFullError
        when there is too little memory or room on the disk; the message has the nearest settings that would fit.
    """
    found = preflight(voice, settings)
    if "memory" in found.problems:
        raise MemoryShortageError(
            f"training {settings.base_model} this way needs about {size(found.need.memory or 0)} of memory "
            f"({_parts(found.need)}), and {found.machine.name} has {size(found.machine.memory_free)} free",
            mend=_nearest(found),
        )
    if "disk" in found.problems:
        raise DiskFullError(
            f"training {settings.base_model} this way needs about {size(found.need.disk)} of disk, "
            f"{size(found.need.download)} of it for the model and {size(found.need.cache)} for the cache; "
            f"{size(found.disk_free)} are free",
            where=voice.path,
            mend=_nearest(found),
        )
    return found


def outlook(found: Preflight) -> str | None:
    """What it needs, how long it will take, and how it saves memory; None where the model's shape is not known yet."""
    need = found.need
    if need.memory is None or need.seconds is None:
        return None
    said = f"This needs about {size(need.memory)} of memory and {size(need.disk)} of disk, and takes about "
    said += duration(need.seconds) + ("." if need.measured else "; after the first steps that is known better.")
    return said + " Each layer is computed twice, which saves memory." * need.twice


def _parts(need: Need) -> str:
    parts = need.parts
    if parts is None:
        return ""
    named = {"weights": parts.weights, "optimiser": parts.optimiser, "activations": parts.activations}
    return ", ".join(f"{name} {size(held)}" for name, held in (named | {"the program": PROCESS_BYTES}).items())


def _nearest(found: Preflight) -> str:
    if found.changes is None or found.instead is None:
        return "Close other programs, or train elsewhere: ownvoice train VOICE --on hf-jobs:FLAVOR rents a machine."
    instead = found.instead
    time = f" and {duration(instead.seconds)}" if instead.seconds is not None else ""
    return (
        f"It would fit with {' '.join(_options(found.changes))}: that needs about {size(instead.memory or 0)} of memory"
        f"{time}. Closing other programs helps too."
    )


def _options(changes: Mapping[str, Any]) -> Iterator[str]:
    """The changes as options of the command line."""
    for name, value in flattened(changes, "-").items():
        yield f"--{name.replace('_', '-')} {shlex.quote(str(value))}"
