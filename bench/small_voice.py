"""How long a small voice takes to learn: 100 clips of four seconds, heard three times, by the package's own way in.

    PYTHONPATH=tests python bench/small_voice.py [--model tiny|mid|mini-3b] [--clips N] [--epochs N] [--batch N]
        [--window standard|short|auto] [--folder FOLDER] [--json] [--save FILE]

``mid`` and ``mini-3b`` have random weights, written into FOLDER once (bench/memory.py); so every answer to the dev set
runs to its bound, which takes longer than a real model's. Loading, the preparation of the recordings (with the base
model's look at the dev set where the window is left open) and training, with its looks and checkpoints, are told apart.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import torch
from memory import MODELS, model_folder, record
from peak import peak_bytes

from ownvoice import events
from ownvoice.config import TINY, TrainingSettings
from ownvoice.rundir import RunFolder
from ownvoice.training.dev import DevScore

DEV_CLIPS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=(TINY, *MODELS), default="mini-3b")
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--window", choices=("standard", "short", "auto"), default="auto")
    parser.add_argument("--folder", type=Path, help="where random weights are written, or were")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--save", type=Path, metavar="FILE", help="also write the figures here, after every step")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        row = measure(options, Path(place))
    print(json.dumps(row) if options.json else "\n".join(f"{name:20}{value}" for name, value in row.items()))


def measure(options: argparse.Namespace, place: Path) -> dict[str, object]:
    base = model_folder(options.model, options.folder or place)
    settings = TrainingSettings.make(
        {"base_model": str(base), "batch_size": options.batch, "epochs": options.epochs, "window": options.window}
    )
    clips = list(record(place, options.clips + DEV_CLIPS))
    run = RunFolder(place / "voice" / "runs" / "run")
    run.path.mkdir(parents=True)
    from ownvoice.training.trainer import train  # loads peft and transformers

    began = time.monotonic()
    row: dict[str, object] = {
        "model": options.model, "clips": options.clips, "epochs": options.epochs, "batch": options.batch,
        "versions": {name: version(name) for name in ("torch", "transformers", "peft")},
    }  # fmt: skip
    looks: list[float] = []

    def listen(event: events.Event) -> None:
        since = time.monotonic() - began
        match event:
            case events.Prepare():
                row.setdefault("loaded_after_s", since)
            case events.Windows():
                row["window"] = event.chosen
            case events.Start():
                row["device"], row["began_after_s"] = event.device, since
            case events.Step():
                row["steps"], row["clips_per_s"] = event.step, event.clips_per_second
            case events.Eval():
                looks.append(event.seconds)
                row["looks_s"] = looks
            case events.Done():
                row["training_s"], row["all_s"] = event.seconds, since
            case _:
                return
        row["peak_bytes"] = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else peak_bytes()
        if options.save:
            options.save.write_text(json.dumps(row, indent=1) + "\n", encoding="utf-8")

    train(run, settings, clips[DEV_CLIPS:], clips[:DEV_CLIPS], lambda *_: DevScore(1.0, 1.0), listeners=[listen])
    return row


if __name__ == "__main__":
    main()
