"""What it costs a training that somebody watches it in the app: the same training watched and alone, in turns.

    python bench/watching.py [--pairs N] [--epochs N] [--each SECONDS] [--json]

Watched, the app's server runs and is asked for the run's state over HTTP as the run's page asks, twice as often. The
share of all cores that the server takes is the most that watching can cost a training that keeps every core busy; the
training's own processor time a step, watched over alone, is what reading beside it costs otherwise. Wall time a step is
printed too; on a machine that does other things it says nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import psutil
from real_speech import ownvoice
from scopes import SAMPLE_VOICE


@dataclass
class Watching:
    """What watching came to."""

    cpu: float = 0.0
    """Processor seconds of the server, its start left out."""
    asked: int = 0
    """How often the state was asked for."""


@dataclass(frozen=True)
class Training:
    """One training; times in seconds."""

    watched: bool
    steps: int
    cpu: float
    """Processor time of the training's process."""
    wall: float
    server_cpu: float
    asked: int


@contextmanager
def watching(voices: Path, each: float) -> Iterator[Watching]:
    """Run the app's server and ask it for the state of the run that begins now."""
    server = subprocess.Popen(
        [sys.executable, "-m", "ownvoice", "app", "--no-browser", "--port", "0", "--voices", str(voices)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = next(line for line in server.stdout if "http://" in line)
    url = "http://" + said.split("http://")[1].split()[0].rstrip("/")
    before, found, over = _cpu(server.pid), Watching(), threading.Event()
    asking = threading.Thread(target=_ask, args=(url, voices / "voice" / "runs", each, over, found))
    asking.start()
    try:
        yield found
    finally:
        over.set()
        asking.join()
        found.cpu = _cpu(server.pid) - before
        server.terminate()
        server.wait()


def _ask(url: str, runs: Path, each: float, over: threading.Event, found: Watching) -> None:
    old, cursor = set(runs.glob("2*")), ""
    while not over.wait(each):
        for run in set(runs.glob("2*")) - old:
            address = f"{url}/voices/voice/runs/{run.name}/state?after={cursor}"
            with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 (our own server)
                cursor = json.load(answer)["cursor"]
            found.asked += 1


def _cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def train(voices: Path, epochs: int) -> tuple[int, float, float]:
    """Steps, processor seconds and wall seconds of one training in a process of its own.

    It has one thread: several wait for each other by spinning, which counts other programs' work as the training's.
    """
    command = ["train", str(voices / "voice"), "--base-model", "tiny", "--epochs", str(epochs), "--batch-size", "8"]
    began = time.monotonic()
    training = subprocess.Popen(
        [sys.executable, "-m", "ownvoice", *command, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    steps = json.load(training.stdout)["steps"]
    _, _, usage = os.wait4(training.pid, 0)
    return steps, usage.ru_utime + usage.ru_stime, time.monotonic() - began


def measure(voices: Path, epochs: int, each: float, *, watched: bool) -> Training:
    if not watched:
        return Training(False, *train(voices, epochs), 0.0, 0)
    with watching(voices, each) as found:
        figures = train(voices, epochs)
    return Training(True, *figures, found.cpu, found.asked)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--each", type=float, default=0.5, help="seconds between two questions; the page's are 1.0")
    parser.add_argument("--json", action="store_true", help="print a JSON list of trainings instead of a table")
    options = parser.parse_args()
    trainings = []
    with tempfile.TemporaryDirectory() as folder:
        ownvoice("import", SAMPLE_VOICE, folder + "/voice")
        train(Path(folder), 1)  # fills the cache of features
        for pair in range(options.pairs):  # each pair in the other order
            for watched in (pair % 2 == 0, pair % 2 == 1):
                trainings.append(measure(Path(folder), options.epochs, options.each, watched=watched))
    print(json.dumps([asdict(one) for one in trainings], indent=2) if options.json else describe(trainings))


def describe(trainings: list[Training]) -> str:
    watched = [one for one in trainings if one.watched]
    pairs = list(zip(watched, (one for one in trainings if not one.watched), strict=True))
    rows = {
        "server's share of all cores": [one.server_cpu / (one.wall * psutil.cpu_count()) for one in watched],
        "training's processor time a step, watched / alone": [
            (one.cpu / one.steps) / (other.cpu / other.steps) for one, other in pairs
        ],
        "wall time a step, watched / alone": [
            (one.wall / one.steps) / (other.wall / other.steps) for one, other in pairs
        ],
    }
    asked = median(one.asked for one in watched)
    lines = [f"{len(pairs)} pairs of {watched[0].steps} steps; asked {asked:.0f} times"]
    for name, values in rows.items():
        lines.append(f"{name:52}{median(values):8.4f}   {min(values):.4f} to {max(values):.4f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
