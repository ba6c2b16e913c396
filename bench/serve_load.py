"""64 clients against one server with three voices: throughput against one client, waiting times, memory, right answers.

    python bench/serve_load.py [--seconds 120] [--clients 64] [--json]

One server runs all the time. One client at a time and all clients at once take turns in it, so that other work on the
machine burdens both alike; the throughput of the two is given as a ratio, a figure a round, by wall time and by the
server's processor time. The three voices are adapters over the built-in model with random weights, and the clips are
chosen so that each voice writes something else of each: an answer of another request shows, and is counted as wrong.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx
import psutil
import torch

from ownvoice.config import LoraSettings, TrainingSettings
from ownvoice.data.audio import load_audio
from ownvoice.model.adapters import add_lora, trained_tensors
from ownvoice.model.load import load_recogniser
from ownvoice.model.recording import transcribe_long
from ownvoice.rundir import RunFolder

RECORDINGS = sorted((Path(__file__).parent.parent / "src/ownvoice/model/tiny/sample_voice/clips").glob("*.ogg"))
CLIPS = 12
"""Recordings asked for, of those above."""
VOICES = ("ana", "ben", "cem")
SPREAD = 0.05
"""Of the adapters' random weights: with 0.02 voices often agree, with more they say one thing of every clip."""
ROUNDS = 3
ALONE_SHARE = 0.25
"""Of a round's time for the single client."""


@dataclass
class Phase:
    """What clients saw in one stretch of time."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    """Seconds from asking to the whole answer, of answers with a transcript."""
    wrong: int = 0
    processor: float = 0.0
    """Seconds the server computed."""

    @property
    def throughput(self) -> float:
        """Transcripts a second."""
        return self.statuses[200] / self.seconds

    @property
    def processor_a_transcript(self) -> float:
        return self.processor / self.statuses[200]


@dataclass(frozen=True)
class Result:
    """Its fields are the keys of ``--json``."""

    clients: int
    seconds: float
    statuses: dict[str, int]
    expected_answers: int
    """Different ones, of all voices and clips together."""
    wrong_answers: int
    throughput_over_one_at_a_time: list[float]
    throughput_by_processor: list[float]
    """The same, in transcripts a second that the server computed."""
    median_wait: float
    p95_wait: float
    longest_wait: float
    median_wait_alone: float
    memory_mb: list[int]
    """Resident, after the warm-up and after each round."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=120, help="of all clients at once, over all rounds")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        voices = make_voices(Path(folder))
        result = measure(voices, options.clients, options.seconds)
    if options.json:
        print(json.dumps(asdict(result)))
    else:
        print("\n".join(f"{name}: {value}" for name, value in asdict(result).items()))


def make_voices(folder: Path) -> dict[str, Path]:
    """A run for each voice, with an adapter of encoder and decoder."""
    runs = {}
    for number, name in enumerate(VOICES):
        run = RunFolder(folder / name / "runs" / "bench")
        run.path.mkdir(parents=True)
        TrainingSettings(base_model="tiny", language="en").save(run.config)
        model = load_recogniser("tiny", device="cpu").model
        lora = add_lora(model, "both", LoraSettings(rank=8), seed=number, base_name="tiny")
        torch.manual_seed(number)
        for parameter in trained_tensors(model).values():
            torch.nn.init.normal_(parameter, std=SPREAD)
        lora.save_pretrained(run.adapter, save_embedding_layers=False)
        runs[name] = run.path
    return runs


def measure(voices: dict[str, Path], clients: int, seconds: float) -> Result:
    expected = find_expected(voices)
    together_seconds = seconds / ROUNDS
    ratios, by_processor, memory = [], [], []
    together: list[Phase] = []
    one_at_a_time: list[Phase] = []
    with server(voices) as (url, process):
        ask_for(url, process, 8, 3.0, expected)  # warm-up
        memory.append(process.memory_info().rss // 1_000_000)
        for _ in range(ROUNDS):
            alone = ask_for(url, process, 1, together_seconds * ALONE_SHARE / (1 - ALONE_SHARE), expected)
            crowd = ask_for(url, process, clients, together_seconds, expected)
            together.append(crowd)
            one_at_a_time.append(alone)
            ratios.append(round(crowd.throughput / alone.throughput, 2))
            by_processor.append(round(alone.processor_a_transcript / crowd.processor_a_transcript, 2))
            memory.append(process.memory_info().rss // 1_000_000)
    waits = sorted(wait for phase in together for wait in phase.waits)
    waits_alone = sorted(wait for phase in one_at_a_time for wait in phase.waits)
    statuses: Counter[int] = sum((phase.statuses for phase in together), Counter())
    return Result(
        clients=clients,
        seconds=round(sum(phase.seconds for phase in together), 1),
        statuses={str(status): count for status, count in statuses.items()},
        expected_answers=len(set(expected.values())),
        wrong_answers=sum(phase.wrong for phase in together + one_at_a_time),
        throughput_over_one_at_a_time=ratios,
        throughput_by_processor=by_processor,
        median_wait=round(waits[len(waits) // 2], 2),
        p95_wait=round(waits[int(0.95 * len(waits))], 2),
        longest_wait=round(waits[-1], 2),
        median_wait_alone=round(waits_alone[len(waits_alone) // 2], 2),
        memory_mb=memory,
    )


def find_expected(voices: dict[str, Path]) -> dict[tuple[str, Path], str]:
    """What each voice writes of each clip when it is asked alone; no two answers are the same."""
    recognisers = {name: load_recogniser(run) for name, run in voices.items()}
    expected: dict[tuple[str, Path], str] = {}
    for clip in RECORDINGS:
        samples = load_audio(clip)
        answers = {(name, clip): transcribe_long(each, samples, "en").text for name, each in recognisers.items()}
        if len({*expected.values(), *answers.values()}) == len(expected) + len(answers):
            expected |= answers
        if len(expected) == CLIPS * len(voices):
            return expected
    sys.exit("serve_load: the voices are too much alike")


@contextmanager
def server(voices: dict[str, Path]) -> Iterator[tuple[str, psutil.Process]]:
    command = [sys.executable, "-m", "ownvoice", "serve", "--port", "0"]
    for name, run in voices.items():
        command += ["--model", f"{name}={run}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        found = next((match for line in process.stderr or () if (match := re.search(r"http://\S+", line))), None)
        if found is None:
            sys.exit("serve_load: the server did not start")
        try:
            yield found[0], psutil.Process(process.pid)
        finally:
            process.terminate()


def ask_for(
    url: str, process: psutil.Process, clients: int, seconds: float, expected: dict[tuple[str, Path], str]
) -> Phase:
    """So many clients ask for so long, each for one transcript after the other, all voices and clips mixed."""
    phase, lock, questions = Phase(), threading.Lock(), list(expected)
    started, computed = time.perf_counter(), sum(process.cpu_times()[:2])

    def client(turn: int) -> None:
        with httpx.Client(timeout=600) as http:
            while time.perf_counter() - started < seconds:
                name, clip = questions[turn % len(questions)]
                asked = time.perf_counter()
                answer = http.post(
                    f"{url}/audio/transcriptions",
                    files={"file": (clip.name, clip.read_bytes())},
                    data={"model": name, "language": "en"},
                )
                with lock:
                    phase.statuses[answer.status_code] += 1
                    if answer.status_code == 200:
                        phase.waits.append(time.perf_counter() - asked)
                        phase.wrong += answer.json()["text"] != expected[name, clip]
                if answer.status_code == 429:
                    time.sleep(float(answer.headers["retry-after"]))
                turn += 1

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(client, range(clients)))
    phase.seconds = time.perf_counter() - started
    phase.processor = sum(process.cpu_times()[:2]) - computed
    return phase


if __name__ == "__main__":
    main()
