"""How many clips a second training takes, beside the reference path, and which improvement gives how much.

    python bench/train_step.py --scale cpu|mini-3b [--scope decoder|encoder|both] [--window standard|short|mixed]
        [--rounds N] [--seconds N] [--shares] [--try CHANGE...] [--vocabulary N] [--batch N] [--json] [--save FILE]

All arms run in one process on one base model and take turns in every round, so that a busy machine hits all of them.
``--scale cpu`` is a Voxtral of true proportions but small, with random weights in float32 and the published vocabulary;
its head therefore weighs more than the published model's; with ``--vocabulary 2048`` it weighs about as much as there.
``--scale mini-3b`` is Voxtral-Mini's own configuration with random bfloat16 weights, for a graphics card. ``--shares``
adds what lies between the two paths, and ``--try`` ours once more for each change that may or may not make it faster
(bench/step_changes.py). A step is eight clips of four seconds; ratios are medians over rounds, with the
least and the most, by wall time and by processor time, which other programs disturb less.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import psutil
import torch
from step_arms import CLIPS_A_STEP, SCALES, Arm, Workbench, arms_of
from step_changes import CHANGES
from step_flops import ClipShape, clip_operations, peak_of

from ownvoice.model.device import describe_device

WINDOWS = {"standard": (False,), "short": (True,), "mixed": (True, True, True, False)}
WATCH_SECONDS = 0.005
UNTOLD = ("json", "save", "seconds")
"""Options that say nothing of what was measured."""


@dataclass
class Measured:
    """What was seen of an arm; figures of a round are clips a second."""

    wall: dict[int, float] = field(default_factory=dict)
    processor: dict[int, float] = field(default_factory=dict)
    losses: list[float] = field(default_factory=list)
    peak_bytes: int = 0
    first_step: float = 0.0
    """Processor seconds of the step before the rounds, in which a compiled arm is compiled."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", choices=SCALES, required=True)
    parser.add_argument("--scope", choices=("decoder", "encoder", "both"), default="both")
    parser.add_argument("--window", choices=WINDOWS, default="standard")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin no round after so long")
    parser.add_argument("--shares", action="store_true", help="measure every improvement, and all windows")
    tried = "; ".join(f"{name}: {meaning}" for name, meaning in CHANGES.items())
    parser.add_argument("--try", dest="changes", nargs="+", choices=CHANGES, default=[], metavar="CHANGE", help=tried)
    parser.add_argument("--vocabulary", type=int, default=131072)
    parser.add_argument("--batch", type=int, help="clips in a forward pass of ours  [default: 2 on a CPU, else 8]")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--save", type=Path, metavar="FILE", help="also write that object here, after every round")
    options = parser.parse_args()
    began = time.monotonic()
    if options.scale == "mini-3b" and not torch.cuda.is_available():
        sys.exit("train_step: --scale mini-3b needs a CUDA card; --scale cpu runs anywhere")
    batch = options.batch or (2 if options.scale == "cpu" else 8)
    with tempfile.TemporaryDirectory() as folder:
        bench = Workbench(options.scale, options.scope, options.vocabulary, batch, Path(folder))
        arms = arms_of(options.scope, WINDOWS[options.window], shares=options.shares, changes=options.changes)
        for turn, measured in enumerate(measure(bench, arms, options.rounds), 1):
            settings = {name: value for name, value in vars(options).items() if name not in UNTOLD}
            report = describe(bench, arms, measured) | settings
            if options.save:
                options.save.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
            print(f"round {turn}, {time.monotonic() - began:.0f} s: {report['ratio']:.2f}", file=sys.stderr, flush=True)
            if time.monotonic() - began > options.seconds:
                break
    print(json.dumps(report) if options.json else as_table(report))


def measure(bench: Workbench, arms: dict[str, Arm], rounds: int) -> Iterator[dict[str, Measured]]:
    """Let the arms take turns, each round in another order, after a step of each that is not measured.

    After each round comes what was seen so far.
    """
    steps = {name: bench.runner(name, arm) for name, arm in arms.items()}
    measured = {name: Measured() for name in arms}
    counts = dict.fromkeys(arms, 0)
    for turn in range(-1, rounds):
        names = list(arms) if turn % 2 else list(arms)[::-1]
        for name in names:
            arm, seen = arms[name], measured[name]
            if turn > 0 and turn % arm.every:
                continue
            with told_of_waiting(arm, turn), watch_memory(bench.recogniser.device) as peak:
                began = _clocks(bench.recogniser.device)
                for short in arm.short if turn >= 0 else arm.short[:1]:
                    seen.losses.append(steps[name](counts[name], short))
                    counts[name] += 1
                wall, processor = (
                    end - start for start, end in zip(began, _clocks(bench.recogniser.device), strict=True)
                )
            if turn < 0:
                seen.first_step = processor
            else:
                seen.wall[turn] = CLIPS_A_STEP * len(arm.short) / wall
                seen.processor[turn] = CLIPS_A_STEP * len(arm.short) / processor
                seen.peak_bytes = max(seen.peak_bytes, peak())
        if turn >= 0:
            yield measured


@contextmanager
def told_of_waiting(arm: Arm, turn: int) -> Iterator[None]:
    """Within the block PyTorch warns where the card is waited for: in ours, by each step twice and in no pass.

    Only before the rounds, where it costs the figures nothing.
    """
    watched = turn < 0 and arm.labels_alone and torch.cuda.is_available()
    if watched:
        torch.cuda.set_sync_debug_mode("warn")
    try:
        yield
    finally:
        if watched:
            torch.cuda.set_sync_debug_mode("default")


def _clocks(device: torch.device) -> tuple[float, float]:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)  # a compiler is one
    return time.perf_counter(), time.process_time() + children.ru_utime + children.ru_stime


@contextmanager
def watch_memory(device: torch.device) -> Iterator[Callable[[], int]]:
    """The most memory held within the block: of the card, or of this whole process, looked at all the time."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        yield lambda: torch.cuda.max_memory_allocated(device)
        return
    process, over = psutil.Process(), threading.Event()
    most = process.memory_info().rss

    def look() -> None:
        nonlocal most
        while not over.wait(WATCH_SECONDS):
            most = max(most, process.memory_info().rss)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield lambda: most
    finally:
        over.set()
        watcher.join(10)


def describe(bench: Workbench, arms: dict[str, Arm], measured: dict[str, Measured]) -> dict[str, object]:
    """Keys are those of docs/performance.md; more may be added."""
    reference = measured["reference"]
    rows = {
        name: {
            **_spread("clips_per_s", list(seen.wall.values())),
            **_spread("clips_per_processor_s", list(seen.processor.values())),
            **_spread("ratio", _ratios(seen.wall, reference.wall)),
            **_spread("ratio_by_processor", _ratios(seen.processor, reference.processor)),
            "peak_bytes": seen.peak_bytes,
            "rounds": len(seen.wall),
            "first_step_processor_s": seen.first_step,
        }
        for name, seen in measured.items()
    }
    for name, arm in arms.items():
        if arm.change:
            rows[name]["loss_difference"] = _apart(measured["ownvoice"].losses, measured[name].losses)
    for name, share in _shares_of_peak(bench, arms, rows).items():
        rows[name]["mfu"] = share
    return {
        "device": describe_device(bench.recogniser.device),
        "versions": {name: version(name) for name in ("torch", "transformers", "peft")},
        "arms": rows,
        "ratio": rows["ownvoice"]["ratio"],
        **_compare_losses(arms, measured),
    }


def _compare_losses(arms: dict[str, Arm], measured: dict[str, Measured]) -> dict[str, object]:
    """The losses of ours and of an arm that has the same adapters and goes the long way, where both hear the same."""
    ours = arms["ownvoice"]
    twins = [name for name, arm in arms.items() if not arm.labels_alone and arm.adapters == ours.adapters]
    if any(ours.short) or not twins:
        return {}
    mine, theirs = measured["ownvoice"].losses, measured[twins[0]].losses
    return {"losses": {"ownvoice": mine, twins[0]: theirs}, "largest_loss_difference": _apart(mine, theirs)}


def _apart(mine: Sequence[float], theirs: Sequence[float]) -> float:
    return max(abs(one - other) for one, other in zip(mine, theirs, strict=False))


def _ratios(mine: dict[int, float], theirs: dict[int, float]) -> list[float]:
    return [rate / theirs[turn] for turn, rate in mine.items() if turn in theirs]


def _spread(name: str, figures: Sequence[float]) -> dict[str, float]:
    return {name: statistics.median(figures), f"{name}_low": min(figures), f"{name}_high": max(figures)}


def _shares_of_peak(bench: Workbench, arms: dict[str, Arm], rows: dict[str, dict[str, float]]) -> dict[str, float]:
    """Model-FLOPs utilisation of the arms in one window, where the card's peak is known."""
    if bench.recogniser.device.type != "cuda":
        return {}
    peak = peak_of(torch.cuda.get_device_name(bench.recogniser.device))
    if peak is None:
        return {}
    recogniser, found = bench.recogniser, {}
    for name, arm in arms.items():
        if len(set(arm.short)) > 1:
            continue
        window = recogniser.window
        heard = window.ending_after(round(4 * window.sampling_rate)) if arm.short[0] else window
        tokens = len(recogniser.prompts.prompt(1, "en", heard.audio_tokens)) + round(bench.labels)
        operations = clip_operations(
            recogniser.model.config,
            ClipShape(heard.mel_frames // 2, tokens, round(bench.labels)),
            encoder_trained=arm.adapters != "decoder",
            encoder_runs=arm.features != "embeddings",
        )
        found[name] = operations * rows[name]["clips_per_s"] / peak
    return found


def as_table(report: dict[str, object]) -> str:
    lines = [
        f"{report['device']}; scope {report['scope']}, vocabulary {report['vocabulary']}",
        f"{'':36}{'clips/s':>9}{'ratio':>8}{'least':>7}{'most':>7}{'by processor':>14}{'peak GB':>9}{'MFU':>7}",
    ]
    for name, row in report["arms"].items():  # type: ignore[attr-defined]
        mfu = f"{row['mfu']:.0%}" if "mfu" in row else ""
        lines.append(
            f"{name:36}{row['clips_per_s']:9.2f}{row['ratio']:8.2f}{row['ratio_low']:7.2f}{row['ratio_high']:7.2f}"
            f"{row['ratio_by_processor']:14.2f}{row['peak_bytes'] / 1e9:9.2f}{mfu:>7}"
        )
    if report["scale"] == "mini-3b" and "mfu" not in report["arms"]["reference"]:  # type: ignore[index]
        lines.append("no share of the card's peak: bench/step_flops.py does not know that card")
    for name, row in report["arms"].items():  # type: ignore[attr-defined]
        if "loss_difference" in row:
            lines.append(f"largest difference of its losses from ours: {row['loss_difference']:.1e}, {name}")
    if "largest_loss_difference" in report:
        lines.append(f"largest difference of the losses of two equal arms: {report['largest_loss_difference']:.1e}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
