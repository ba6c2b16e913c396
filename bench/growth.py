"""How a voice's size tells in what is done with it: 100, 1,000 and 10,000 utterances, each in a process of its own.

    PYTHONPATH=tests python bench/growth.py [--sizes N...] [--svg FILE] [--json]

Recordings are half a second of noise and the model is the tests' smallest (tests/small_voxtral.py), so that what grows
with the number of utterances is what is seen. Times are processor seconds, which other programs change little. The
epoch is :func:`ownvoice.training.trainer.train` on a filled cache, one look at a dev set of three included.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from peak import peak_bytes

from ownvoice.config import TrainingSettings, VoiceSettings
from ownvoice.data.audio import write_wav
from ownvoice.data.check import check_voice
from ownvoice.data.manifest import read_manifest
from ownvoice.data.split import save_split, split_utterances
from ownvoice.rundir import VoiceFolder

STAGES = ("manifest", "check", "split", "cache", "epoch")
SIZES = (100, 1_000, 10_000)
SAMPLES = 8_000
WORDS = ("tea", "water", "door", "light", "garden", "music", "window", "doctor", "sister", "market", "river", "chair")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--svg", type=Path, help="draw the times into this file")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--here", type=int, help=argparse.SUPPRESS)  # measure this size in this process
    options = parser.parse_args()
    if options.here:
        print(json.dumps(measure(options.here)))
        return
    rows = []
    for size in options.sizes:
        command = [sys.executable, __file__, "--here", str(size)]
        rows.append(json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout))
        if not options.json:
            print(as_line(rows[-1]), flush=True)
    if options.json:
        print(json.dumps(rows, indent=1))
    if options.svg:
        options.svg.write_text(as_svg(rows), encoding="utf-8")


def measure(size: int) -> dict[str, Any]:
    from ownvoice.training.dev import DevScore
    from ownvoice.training.trainer import train
    from ownvoice.workflow.needs import preflight
    from ownvoice.workflow.train import clips_of
    from small_voxtral import build_small_voxtral

    row: dict[str, Any] = {"utterances": size}
    with tempfile.TemporaryDirectory() as place:
        voice = make_voice(Path(place) / "voice", size)
        model = Path(place) / "model"
        model.mkdir()
        build_small_voxtral(model)
        with clock(row, "manifest"):
            utterances = read_manifest(voice).utterances
        with clock(row, "check"):
            check_voice(voice)
        with clock(row, "split"):
            split = split_utterances(utterances, seed=0)
        settings = TrainingSettings.make(
            {"base_model": str(model), "epochs": 1, "batch_size": 16, "dev": {"every": 9}, "lora": {"rank": 4}}
        )
        row["predicted_cache"] = preflight(voice, settings).need.cache
        run = voice.new_run()
        save_split(run, split)
        train_clips, dev_clips = clips_of(run)
        with clock(row, "cache"):
            fill(voice, settings, [*train_clips, *dev_clips])
        row["cache_bytes"] = sum(path.stat().st_size for path in voice.cache.rglob("*") if path.is_file())
        with clock(row, "epoch"):
            train(run, settings, train_clips, dev_clips[:3], lambda *texts: DevScore(1.0, 1.0))
    row["peak"] = peak_bytes()
    return row


def fill(voice: VoiceFolder, settings: TrainingSettings, clips: list[Any]) -> None:
    from ownvoice.model.cache import FeatureStore
    from ownvoice.model.load import load_recogniser
    from ownvoice.training.examples import ExampleMaker

    maker = ExampleMaker(load_recogniser(settings.base_model), FeatureStore(voice.cache), settings)
    maker.prepare(clips, None, lambda: None)


@contextmanager
def clock(row: dict[str, Any], stage: str) -> Iterator[None]:
    began = time.process_time()
    yield
    row[stage] = round(time.process_time() - began, 3)


def make_voice(folder: Path, size: int) -> VoiceFolder:
    """A voice of noise, each recording and each text another."""
    voice, dice = VoiceFolder(folder), np.random.default_rng(0)
    voice.wavs.mkdir(parents=True)
    VoiceSettings().save(voice.settings)
    lines = []
    for number in range(size):
        name = f"wavs/{number:05}.wav"
        write_wav(folder / name, (0.05 * dice.standard_normal(SAMPLES)).astype(np.float32))
        digits = [number // len(WORDS) ** place % len(WORDS) for place in range(4)]
        text = " ".join(WORDS[digit] for digit in digits)
        lines.append(json.dumps({"audio_path": name, "text": text, "duration": SAMPLES / 16_000}))
    voice.manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return voice


def as_line(row: dict[str, Any]) -> str:
    times = "  ".join(f"{stage} {row[stage]:8.2f}" for stage in STAGES)
    cache = f"cache {row['cache_bytes'] / 1e6:.1f} MB, predicted {row['predicted_cache'] / 1e6:.1f}"
    return f"{row['utterances']:6} utterances: {times} s; peak {row['peak'] / 1e6:.0f} MB; {cache}"


def as_svg(rows: list[dict[str, Any]]) -> str:
    """Processor milliseconds an utterance over the number of utterances: flat is linear growth."""
    width, height, left, bottom = 640, 300, 60, 40
    top = max(1e3 * row[stage] / row["utterances"] for row in rows for stage in STAGES)
    colours = ("#1b6ca8", "#a85b1b", "#2e7d32", "#7b1fa2", "#b71c1c")
    across = {row["utterances"]: left + 480 * place / max(1, len(rows) - 1) for place, row in enumerate(rows)}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">',
        "<style>text { font-size: 12px }</style>",
        "<title>Processor milliseconds an utterance by the number of utterances</title>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<path d="M{left} 10V{height - bottom}H{left + 490}" fill="none" stroke="#555"/>',
        f'<text x="5" y="22">{top:.0f} ms</text>',
    ]
    parts += [f'<text x="{x - 15:.0f}" y="{height - 20}">{size:,}</text>' for size, x in across.items()]
    for number, (stage, colour) in enumerate(zip(STAGES, colours, strict=True)):
        heights = [(height - bottom) - 230 * 1e3 * row[stage] / row["utterances"] / top for row in rows]
        points = " ".join(f"{x:.0f},{y:.0f}" for x, y in zip(across.values(), heights, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{left + 500}" y="{30 + 18 * number}" fill="{colour}">{stage}</text>')
    return "\n".join([*parts, "</svg>\n"])


if __name__ == "__main__":
    main()
