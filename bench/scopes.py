"""Where a voice is learned: the built-in model trained on its sample voice in each scope, judged on held-out phrases.

    python bench/scopes.py [--seeds 0 1 2] [--epochs N] [--voice SOURCE] [--json]

Each row is `ownvoice train` and `ownvoice evaluate` as a person would type them; a seed decides split, order and the
adapters' start, and is the same for every scope. The result is why TrainingSettings.scope is what it is.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean

from real_speech import BenchError, ownvoice

SAMPLE_VOICE = Path(__file__).parent.parent / "src/ownvoice/model/tiny/sample_voice"
ARMS = {
    "decoder": ["--scope", "decoder"],
    "encoder": ["--scope", "encoder"],
    "both": ["--scope", "both"],
    "both, full": ["--scope", "both", "--method", "full"],
}


@dataclass(frozen=True)
class Row:
    """One trained run."""

    arm: str
    seed: int
    n: int
    base_wer: float
    tuned_wer: float
    tuned_low: float
    tuned_high: float


def trial_options(description: str | None, epochs: int | None = None) -> argparse.Namespace:
    """What a bench that trains arm after arm is asked on the command line."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=epochs, help="as in ownvoice train")
    parser.add_argument("--voice", type=Path, default=SAMPLE_VOICE, help="what ownvoice import reads")
    parser.add_argument("--json", action="store_true", help="print a JSON list of rows instead of a table")
    return parser.parse_args()


def main() -> None:
    options = trial_options(__doc__)
    length = ["--epochs", str(options.epochs)] if options.epochs else []
    rows = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            ownvoice("import", options.voice, folder + "/voice")
            for seed in options.seeds:  # arms in turn within a seed, so that a slow hour hits all of them
                for arm, choice in ARMS.items():
                    rows.append(measure(arm, seed, [folder + "/voice", "--base-model", "tiny", *choice, *length]))
    except BenchError as error:
        sys.exit(f"scopes: {error}")
    if options.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        print(describe(rows))


def measure(arm: str, seed: int, training: list[str]) -> Row:
    run = ownvoice("train", *training, "--seed", seed)["run"]
    judged = ownvoice("evaluate", run)
    base, tuned = judged["base"], judged["tuned"]
    return Row(arm, seed, judged["n"], base["wer"], tuned["wer"], tuned["wer_low"], tuned["wer_high"])


def describe(rows: list[Row]) -> str:
    lines = [f"{'scope':12}{'base WER':>10}{'tuned WER':>11}   by seed, with 95 % intervals over {rows[0].n} phrases"]
    for arm in ARMS:
        mine = [row for row in rows if row.arm == arm]
        seeds = "  ".join(f"{row.tuned_wer:.2f} [{row.tuned_low:.2f}-{row.tuned_high:.2f}]" for row in mine)
        base, tuned = mean(row.base_wer for row in mine), mean(row.tuned_wer for row in mine)
        lines.append(f"{arm:12}{base:>10.2f}{tuned:>11.2f}   {seeds}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
