"""Memory that training takes, measured, beside what the preflight says beforehand; each case in a process of its own.

    PYTHONPATH=tests python bench/memory.py [CASE]... [--folder FOLDER] [--json] [--save FILE]

A case trains a few steps by the package's own way in, on clips of four seconds, and its peak is the most the process
ever held (on a graphics card, the most that torch held there). ``loading`` is the peak when the weights
were in place. ``mid`` is a Voxtral of true proportions and 0.5 B parameters and ``mini-3b`` one of Voxtral-Mini's own
configuration, both with random bfloat16 weights, which are written into FOLDER once, shard by shard (9.4 GB for the
second); so is ``mini-3b`` on a CPU left out unless it is named. On a card, moments in 8 bits are pages that torch does
not count: they come on top where they are in its memory (2 bytes a trained parameter). There a case ends when the
dev set was heard after its last step: what follows is written to disk, 50 GB of it for ``mini-3b-full``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from peak import peak_bytes

from ownvoice import events
from ownvoice.config import TINY, TrainingSettings
from ownvoice.data.audio import write_wav
from ownvoice.model.source import TINY_WEIGHTS
from ownvoice.rundir import RunFolder
from ownvoice.training.dev import DevScore
from ownvoice.training.examples import Clip
from ownvoice.training.preflight import PROCESS_BYTES, Shape, estimate_memory
from small_voxtral import murmur, write_processor

MODELS: dict[str, dict[str, dict[str, int]]] = {
    "mid": {
        "audio_config": {
            "hidden_size": 640, "intermediate_size": 2560, "num_hidden_layers": 12, "num_attention_heads": 10,
        },
        "text_config": {
            "hidden_size": 1024, "intermediate_size": 2816, "num_hidden_layers": 12, "num_attention_heads": 8,
            "num_key_value_heads": 2, "head_dim": 128,
        },
    },
    "mini-3b": {"audio_config": {}, "text_config": {}},
}  # fmt: skip
"""Configurations with random weights; empty is Voxtral-Mini's own."""
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "tiny-lora": (TINY, {"batch_size": 4}),
    "tiny-lora-32": (TINY, {"batch_size": 32}),
    "tiny-lora-32-twice": (TINY, {"batch_size": 32, "checkpointing": "always"}),
    "tiny-lora-decoder": (TINY, {"batch_size": 16, "scope": "decoder"}),
    "tiny-full": (TINY, {"batch_size": 16, "method": "full"}),
    "tiny-qlora": (TINY, {"batch_size": 16, "method": "qlora"}),
    "mid-lora": ("mid", {"batch_size": 1}),
    "mid-lora-twice": ("mid", {"batch_size": 2, "checkpointing": "always"}),
    "mid-qlora": ("mid", {"batch_size": 1, "method": "qlora"}),
    "mid-full-twice": ("mid", {"batch_size": 1, "method": "full", "checkpointing": "always"}),
    "mini-3b-lora-twice": ("mini-3b", {"batch_size": 1, "checkpointing": "always"}),
    "mini-3b-lora-4-twice": ("mini-3b", {"batch_size": 4, "checkpointing": "always"}),
    "mini-3b-qlora": ("mini-3b", {"batch_size": 4, "method": "qlora"}),
    "mini-3b-full": (
        "mini-3b",
        {"batch_size": 1, "method": "full", "checkpointing": "always", "optimiser": {"eight_bit": True}},
    ),
}
SHARD_BYTES = 10**9
STEPS, DEV_CLIPS, CLIP_SECONDS = 2, 1, 4.0
TEXT = "could you please close the window before it gets cold"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--folder", type=Path, help="where random weights are written, or were")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--save", type=Path, metavar="FILE", help="also write the rows here, after every case")
    parser.add_argument("--here", metavar="CASE", help=argparse.SUPPRESS)  # measure it in this process
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = options.folder or Path(made)
        if options.here:
            print(json.dumps(measure(options.here, folder)))
            return
        chosen = options.cases or [name for name in CASES if torch.cuda.is_available() or not name.startswith("mini")]
        rows = []
        for name in chosen:
            model_folder(CASES[name][0], folder)
            rows.append(in_a_process(name, folder))
            if options.save:
                options.save.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
            if not options.json:
                print(as_line(rows[-1]), flush=True)
    if options.json:
        print(json.dumps(rows, indent=1))


def in_a_process(case: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--here", case, "--folder", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    row: dict[str, Any] = json.loads(done.stdout)
    return row


def measure(case: str, folder: Path) -> dict[str, Any]:
    """Train the case's few steps in this process."""
    model, changes = CASES[case]
    base = model_folder(model, folder)
    clips_a_step = changes["batch_size"]
    settings = TrainingSettings.make({"base_model": str(base), "epochs": 1, "dev": {"every": 9}, **changes})
    from ownvoice.training.trainer import train  # loads peft and transformers

    card = torch.cuda.is_available()
    row: dict[str, Any] = {"case": case, "imported": peak_bytes(), "seconds": []}

    def listen(event: events.Event) -> None:
        if isinstance(event, events.Prepare):
            row.setdefault("loading", peak_bytes())
        elif isinstance(event, events.Step):
            row["seconds"].append(round(event.seconds, 1))
        elif isinstance(event, events.Stage | events.Start | events.Eval):
            print(f"{case}: {event}", file=sys.stderr)

    def score(references: object, hypotheses: object) -> DevScore:
        if card and len(row["seconds"]) == STEPS:
            raise AllSeen
        return DevScore(1.0, 1.0)

    with tempfile.TemporaryDirectory() as place, contextlib.suppress(AllSeen):
        run = RunFolder(Path(place) / "voice" / "runs" / "run")
        run.path.mkdir(parents=True)
        clips = list(record(Path(place), STEPS * clips_a_step + DEV_CLIPS))
        train(run, settings, clips[DEV_CLIPS:], clips[:DEV_CLIPS], score, listeners=[listen])
    shape = Shape.of_folder(model, TINY_WEIGHTS if model == TINY else base)
    estimate = estimate_memory(
        shape,
        settings.method,
        clips=clips_a_step,
        rank=settings.lora.rank,
        scope=settings.scope,
        bf16=model != TINY or card,
        card=card,
        twice=settings.checkpointing == "always" or settings.method == "qlora",
        eight_bit=settings.eight_bit_moments,
        heard=DEV_CLIPS,
    )
    row["peak"] = torch.cuda.max_memory_allocated() if card else peak_bytes()
    row["predicted"] = estimate.total + (0 if card else PROCESS_BYTES)
    row["off"] = row["predicted"] / row["peak"] - 1
    return row | {"weights": estimate.weights, "optimiser": estimate.optimiser, "activations": estimate.activations}


class AllSeen(Exception):
    """Nothing that follows takes memory of a card."""


def model_folder(name: str, folder: Path) -> Path:
    """The folder of a model; random weights are written the first time."""
    if name == TINY:
        return Path(TINY)
    path = folder / name
    if not (path / "model.safetensors.index.json").is_file():
        write_random_model(path, MODELS[name])
    return path


def write_random_model(folder: Path, sizes: dict[str, dict[str, int]]) -> None:
    """A whole model folder with random bfloat16 weights, never more than a shard of them in memory."""
    from safetensors.torch import save_file
    from transformers import VoxtralConfig, VoxtralForConditionalGeneration

    folder.mkdir(parents=True, exist_ok=True)
    config = VoxtralConfig(**sizes, audio_token_id=24, dtype="bfloat16")
    config.save_pretrained(folder)
    write_processor(folder, ranks=130072, specials=1000, seconds=30)
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in VoxtralForConditionalGeneration(config).state_dict().items()}
    shards: list[list[str]] = [[]]
    filled = 0
    for name, shape in shapes.items():
        if filled + 2 * shape.numel() > SHARD_BYTES and shards[-1]:
            shards.append([])
            filled = 0
        shards[-1].append(name)
        filled += 2 * shape.numel()
    places = {}
    for number, names in enumerate(shards, 1):
        file = f"model-{number:05}-of-{len(shards):05}.safetensors"
        save_file({name: _random(shapes[name]) for name in names}, folder / file, metadata={"format": "pt"})
        places |= dict.fromkeys(names, file)
    index = {"metadata": {"total_size": sum(2 * shape.numel() for shape in shapes.values())}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def _random(shape: torch.Size) -> torch.Tensor:
    """Small normal values; norms and biases, which are vectors, are near one and so harmless."""
    drawn = torch.empty(shape, dtype=torch.bfloat16, device="cuda" if torch.cuda.is_available() else "cpu")
    drawn.normal_(std=0.02)  # on a processor, all of Voxtral-Mini's take a minute
    return (drawn + 1 if len(shape) == 1 else drawn).cpu()


def record(folder: Path, count: int) -> Iterator[Clip]:
    """So many clips to train on, as sound files in ``folder``."""
    for number in range(count):
        path = folder / f"{number}.wav"
        write_wav(path, murmur(CLIP_SECONDS, seed=number))
        yield Clip(str(number), path, TEXT)


def as_line(row: dict[str, Any]) -> str:
    parts = ("predicted", "peak", "loading", "weights", "optimiser", "activations", "imported")
    sizes = "  ".join(f"{part} {row[part] / 1e9:6.2f}" for part in parts)
    return f"{row['case']:20} off {row['off']:+5.0%}  {sizes}  GB; seconds a step {row['seconds']}"


if __name__ == "__main__":
    main()
