"""Plain LoRA against its relatives in PEFT: the same clips, epochs and seeds on the built-in model.

    python bench/methods.py [--seeds 0 1 2] [--epochs N] [--voice SOURCE] [--json]

DoRA (Liu et al. 2024), AdaLoRA (Zhang et al. 2023) and rank-stabilised LoRA (Kalajdzievski 2023) take the place of the
adapters that `ownvoice train` would add; layers, rank, alpha, learning rate, order and dropout are those of the
defaults, so each is judged at the settings of plain LoRA and not at its own best. Trained by the package's own loop and
judged on held-out phrases as by `ownvoice evaluate`; arms in turn within a seed, so that a slow hour hits all of them.
The result is why TrainingSettings offers plain LoRA alone.
"""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean

import scopes
import torch
from peft import AdaLoraConfig, LoraConfig, PeftModel, get_peft_model
from torch.optim.optimizer import register_optimizer_step_pre_hook

from ownvoice.config import TINY, TrainingSettings
from ownvoice.data.importers import import_recordings
from ownvoice.events import Event, EventLog, Step
from ownvoice.model.adapters import lora_pattern
from ownvoice.model.cache import FeatureStore
from ownvoice.model.load import Recogniser, load_recogniser
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.training.examples import ExampleMaker
from ownvoice.training.loop import TrainingLoop
from ownvoice.training.plan import Plan
from ownvoice.workflow import evaluate_run, prepare
from ownvoice.workflow.train import begin_run, clips_of, dev_score

ARMS = ("LoRA", "DoRA", "rsLoRA", "AdaLoRA")
ADALORA_START = 1.5
"""AdaLoRA begins with this many times the rank it ends with (section 4 of its paper)."""


@dataclass(frozen=True)
class Row(scopes.Row):
    """One trained run, and what its training cost."""

    trained: int
    """Parameters trained."""
    step_seconds: float
    """Median processor time of a step."""


def main() -> None:
    options = scopes.trial_options(__doc__, epochs=5)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        voice = VoiceFolder(Path(folder, "voice"))
        import_recordings(str(options.voice), voice, language="en", progress=lambda done, total: None)
        for seed in options.seeds:
            for arm in ARMS:
                settings = TrainingSettings(base_model=TINY, seed=seed, epochs=options.epochs, batch_size=8)
                rows.append(measure(arm, voice, settings))
                print(rows[-1], file=sys.stderr, flush=True)
    print(json.dumps([asdict(row) for row in rows], indent=2) if options.json else describe(rows))


def measure(arm: str, voice: VoiceFolder, settings: TrainingSettings) -> Row:
    """Train one arm and judge it."""
    run = begin_run(prepare(voice, settings), lambda event: None)
    recogniser = load_recogniser(settings.base_model, device="cpu")
    maker = ExampleMaker(recogniser, FeatureStore(voice.cache), settings)
    examples = [maker.prepare(clips, None, lambda: None) for clips in clips_of(run)]
    total = Plan.of(settings, [example.length for example in examples[0]]).total
    seconds, trained = train_arm(arm, run, settings, recogniser, maker, examples, total)
    judged = evaluate_run(run, progress=lambda name, done, total: None)
    tuned = judged.tuned
    return Row(
        arm=arm,
        seed=settings.seed,
        n=judged.n,
        base_wer=judged.base.score.wer,
        tuned_wer=tuned.score.wer,
        tuned_low=tuned.wer_interval.low,
        tuned_high=tuned.wer_interval.high,
        trained=trained,
        step_seconds=seconds,
    )


def train_arm(  # type: ignore[no-untyped-def]
    arm: str, run: RunFolder, settings: TrainingSettings, recogniser: Recogniser, maker: ExampleMaker, examples, total
) -> tuple[float, int]:
    """Train with the adapters of ``arm``; processor seconds of a step, and how many parameters were trained."""
    torch.manual_seed(settings.seed)
    recogniser.adapter = adapter = get_peft_model(recogniser.model, adapters(arm, settings, total))
    adapter.peft_config["default"].base_model_name_or_path = settings.base_model
    times: list[float] = []

    def clock(event: Event) -> None:
        if isinstance(event, Step):
            times.append(time.process_time())

    log = EventLog(run.events, clock)
    loop = TrainingLoop(run, settings, recogniser, maker, *examples, dev_score("en"), log)
    handle = register_optimizer_step_pre_hook(adalora_step(adapter)) if arm == "AdaLoRA" else None
    try:
        loop.run()
    finally:
        if handle:
            handle.remove()
    steps = sorted(after - before for before, after in itertools.pairwise(times))
    trained = sum(weights.numel() for weights in recogniser.model.parameters() if weights.requires_grad)
    return steps[len(steps) // 2], trained  # the median, in which no look at the dev set has a part


def adapters(arm: str, settings: TrainingSettings, total: int) -> LoraConfig:
    lora = settings.lora
    shared = {
        "lora_alpha": lora.alpha,
        "lora_dropout": lora.dropout,
        "target_modules": lora_pattern(settings.scope),
        "bias": "none",
    }
    if arm == "AdaLoRA":
        return AdaLoraConfig(
            init_r=round(ADALORA_START * lora.rank),
            target_r=lora.rank,
            tinit=total // 10,
            tfinal=total // 3,
            total_step=total,
            **shared,
        )
    return LoraConfig(r=lora.rank, use_dora=arm == "DoRA", use_rslora=arm == "rsLoRA", **shared)


def adalora_step(adapter: PeftModel) -> Callable[[torch.optim.Optimizer, object, object], None]:
    """What AdaLoRA wants done between the gradients and the step: its orthogonality term, and the ranks shared out."""
    weight = adapter.peft_config["default"].orth_reg_weight
    matrices = [part for name, part in adapter.named_parameters() if "lora_A" in name or "lora_B" in name]
    done = 0

    def before_step(optimiser: torch.optim.Optimizer, args: object, kwargs: object) -> None:
        nonlocal done
        products = [part @ part.T if part.shape[0] < part.shape[1] else part.T @ part for part in matrices]
        distances = [torch.linalg.norm(product - torch.eye(len(product))) for product in products]
        (weight * torch.stack(distances).mean()).backward()
        adapter.base_model.update_and_allocate(done)
        done += 1

    return before_step


def describe(rows: list[Row]) -> str:
    lines = [
        f"{'method':9}{'trained':>9}{'CPU s a step':>14}{'base WER':>10}{'tuned WER':>11}   by seed, 95 % intervals"
    ]
    for arm in ARMS:
        mine = [row for row in rows if row.arm == arm]
        seeds = "  ".join(f"{row.tuned_wer:.2f} [{row.tuned_low:.2f}-{row.tuned_high:.2f}]" for row in mine)
        base, tuned = mean(row.base_wer for row in mine), mean(row.tuned_wer for row in mine)
        seconds = mean(row.step_seconds for row in mine)
        lines.append(f"{arm:9}{mine[0].trained:>9,}{seconds:>14.2f}{base:>10.2f}{tuned:>11.2f}   {seeds}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
