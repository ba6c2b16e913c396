"""Fills every row of docs/performance.md that needs a CUDA card, those worth most first, within a given time.

    python bench/on_a_card.py FILE [ROW...] [--seconds N] [--folder FOLDER] [--dry-run]

Each row is a bench of its own with a time limit of its own, whose figures are in FILE (JSON, by row) as soon as it is
over. A row that has figures is left out, so a second call goes on where the first one was cut off, and ends with what
failed; name rows to have only those. FOLDER takes Voxtral-Mini's size in random weights (9.4 GB), written by the first
row that wants them.

``--dry-run`` takes small models on the processor instead, for a minute each: it shows that the commands run. (Not
liger-kernel, which runs on cards alone.)
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BENCH = Path(__file__).parent
LEAST_SECONDS = 20
"""With less time left no row is begun."""


@dataclass(frozen=True)
class Row:
    """A command and how long it may take; ``small`` is what it becomes in a dry run."""

    command: str
    seconds: int
    small: str


STEP = "train_step.py --scale mini-3b"
TRY = f"{STEP} --scope both --window mixed --rounds 8 --try"
SMALL_STEP = "train_step.py --scale cpu --vocabulary 2048 --rounds 1"
ROWS = {
    "exact, encoder in the scope": Row(f"{STEP} --scope both --shares", 150, f"{SMALL_STEP} --scope both"),
    "short windows in 75 %": Row(f"{STEP} --scope both --window mixed", 100, f"{SMALL_STEP} --window mixed"),
    "exact, decoder scope": Row(f"{STEP} --scope decoder --shares", 120, f"{SMALL_STEP} --scope decoder"),
    "100 clips, 3 epochs": Row(
        "small_voice.py --window standard", 150, "small_voice.py --model tiny --clips 8 --epochs 1 --window standard"
    ),
    "memory, lora": Row("memory.py mini-3b-lora-4-twice", 80, "memory.py tiny-lora"),
    "memory, qlora": Row("memory.py mini-3b-qlora", 80, "memory.py tiny-qlora"),
    "adapters not widened": Row(f"{TRY} narrow", 90, f"{SMALL_STEP} --try narrow"),
    "layers compiled": Row(f"{TRY} layers-compiled", 250, f"{SMALL_STEP} --try layers-compiled"),
    "liger-kernel": Row(f"{TRY} liger", 100, f"{SMALL_STEP} --window short"),
    "memory, full": Row("memory.py mini-3b-full", 150, "memory.py tiny-full"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(f'"{name}"' for name in ROWS))
    parser.add_argument("--seconds", type=float, default=3600.0, help="for all rows together")
    parser.add_argument("--folder", type=Path, help="where random weights are written, or were")
    parser.add_argument("--dry-run", action="store_true")
    options = parser.parse_args()
    if unknown := set(options.rows) - set(ROWS):
        parser.error(f"there is no row {sorted(unknown)[0]!r}")
    end = time.monotonic() + options.seconds
    found: dict[str, Any] = json.loads(options.file.read_text()) if options.file.is_file() else {}
    with tempfile.TemporaryDirectory() as made:
        missing = [name for name in ROWS if not found.get(name, {}).get("figures")]
        for name in options.rows or sorted(missing, key=lambda name: name in found):
            left = end - time.monotonic()
            if left < LEAST_SECONDS:
                break
            row = ROWS[name]
            command = (row.small if options.dry_run else row.command).split()
            print(f"\n{name}: {' '.join(command)}", flush=True)
            found[name] = run(command, min(row.seconds, left), options.folder or Path(made), Path(made) / "row.json")
            options.file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
            print(f"{found[name]['took_s']} s, {found[name]['ended']}", flush=True)


def run(command: list[str], seconds: float, folder: Path, saved: Path) -> dict[str, Any]:
    """What a bench measured within its time, though it may have failed or been ended before it was done.

    A bench that takes a time is told a little less, and so ends by itself and prints its table.
    """
    saved.unlink(missing_ok=True)
    given = ["--save", str(saved)]
    given += ["--seconds", f"{0.8 * seconds:.0f}"] if command[0] == "train_step.py" else ["--folder", str(folder)]
    paths = [BENCH.parent / "src", BENCH.parent / "tests", *filter(None, [os.environ.get("PYTHONPATH")])]
    began = time.monotonic()
    bench = subprocess.Popen(
        [sys.executable, "-u", str(BENCH / command[0]), *command[1:], *given],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))},
        start_new_session=True,  # so that what it starts can be ended with it
    )
    try:
        ended = f"exit status {bench.wait(seconds)}"
    except subprocess.TimeoutExpired:
        ended = "out of time"
    finally:
        if bench.poll() is None:
            os.killpg(bench.pid, signal.SIGKILL)
            bench.wait(60)
    figures = json.loads(saved.read_text()) if saved.is_file() else None
    return {"command": " ".join(command), "took_s": round(time.monotonic() - began), "ended": ended, "figures": figures}


if __name__ == "__main__":
    main()
