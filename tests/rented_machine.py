"""What stands for a rented machine's program where the local Hub runs a job: the installer, and half a training."""

from __future__ import annotations

from pathlib import Path

import ownvoice
from fakes.hub.app import Hub

HALF_A_RUN = """
from ownvoice.events import Start, Step
import dataclasses, json
for event in (Start(9, 0, "a card", "bfloat16", 16, 4, 1), Step(1, 0.1, 2.0, 1e-3, 1.0, 0.5)):
    fields = {"event": event.name, "time": "2026-01-01T12:00:00+00:00", **dataclasses.asdict(event)}
    print("ownvoice-event " + json.dumps(fields), flush=True)
import time; time.sleep(120)
"""


def stand_in_for_uvx(hub: Hub, folder: Path, shell: str) -> None:
    """Have every job do ``shell`` in the place of installing ownvoice; its arguments are those of ownvoice itself."""
    folder.mkdir(exist_ok=True)
    program = folder / "uvx"
    program.write_text(f'#!/bin/sh\n[ "$2" = "ownvoice=={ownvoice.__version__}" ] || exit 9\nshift 3\n{shell}\n')
    program.chmod(0o755)
    hub.job_path = str(folder)
