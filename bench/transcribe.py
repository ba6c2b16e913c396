"""An hour of real speech: where it is cut, what is lost or doubled when it is stopped, and how fast it is heard.

    python bench/transcribe.py [--minutes 60] [--json]

The recordings are those of bench/real_speech.py, joined with short silences, so that it is known where each begins and
ends. Cuts are judged by the sound itself: a window may end between two recordings or in a pause, never in a word. The
batch is killed in the middle and started again; the result has to be that of a run that was not. Speed is a ratio of
two ways to hear the same windows, taken in turn.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from real_speech import find_prompts

from ownvoice.data.audio import SAMPLE_RATE, load_audio, write_wav
from ownvoice.model.lanes import answer_in_lanes
from ownvoice.model.load import Recogniser, load_recogniser
from ownvoice.model.pauses import Stretch, cut_at_pauses
from ownvoice.model.transcribe import answer_clips

GAP = 0.3
"""Seconds of silence between two recordings."""
QUIET = 0.05
"""Of the recording's own loudness (root mean square): less is a pause."""
ROUNDS = 5
"""Of each way to hear, in turn."""
WINDOWS_A_ROUND = 16


@dataclass(frozen=True)
class LongRecording:
    """``clips`` are the first and the last sample of each recording in it."""

    samples: np.ndarray
    clips: list[tuple[int, int]]

    def in_a_word(self, place: int) -> bool:
        """Whether a cut at this sample lies in a recording, and not in a pause of it."""
        around = self.samples[place - SAMPLE_RATE // 40 : place + SAMPLE_RATE // 40]
        spoken = np.sqrt(np.mean(self.samples**2))
        within = any(start < place < end for start, end in self.clips)
        return within and bool(np.sqrt(np.mean(around**2)) >= QUIET * spoken)


@dataclass(frozen=True)
class Result:
    """Its fields are the keys of ``--json``."""

    minutes: float
    windows_of_30_s: int
    marked_of_30_s: int
    """Cuts for which there was no pause."""
    in_a_word_of_30_s: int
    windows_of_10_s: int
    marked_of_10_s: int
    in_a_word_of_10_s: int
    windows_before_kill: int
    same_after_kill: bool
    """Whether the batch that was killed and started again wrote what an undisturbed one writes."""
    lanes_over_one_by_one: list[float]
    """How many times as fast windows are heard together as one after the other, a figure a round."""
    lanes_over_one_batch: list[float]
    speed: float
    """Seconds of sound heard in a second, together; of this machine and the built-in model alone."""


def join_recordings(seconds: float, languages: tuple[str, ...] = ("en", "es")) -> LongRecording:
    """Recordings by name, one after the other and from the beginning again, until ``seconds`` are reached."""
    gap = np.zeros(round(GAP * SAMPLE_RATE), np.float32)
    parts: list[np.ndarray] = []
    clips: list[tuple[int, int]] = []
    length = 0
    prompts = [prompt for language in languages for prompt in sorted(find_prompts(language), key=lambda it: it.key)]
    for prompt in cycle(prompts):
        samples = load_audio(prompt.audio)
        clips.append((length, length + samples.size))
        parts += [samples, gap]
        length += samples.size + gap.size
        if length >= seconds * SAMPLE_RATE:
            break
    return LongRecording(np.concatenate(parts), clips)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")
    options = parser.parse_args()
    recording = join_recordings(60 * options.minutes)
    recogniser = load_recogniser("tiny")
    long, short = (cut_at_pauses(recording.samples, seconds * SAMPLE_RATE) for seconds in (30, 10))
    before, same = killed_and_started_again(recording)
    one_by_one, one_batch, speed = speeds(recogniser, recording, short)
    result = Result(
        minutes=recording.samples.size / SAMPLE_RATE / 60,
        windows_of_30_s=len(long),
        marked_of_30_s=sum(stretch.cut_in_speech for stretch in long),
        in_a_word_of_30_s=sum(recording.in_a_word(stretch.end) for stretch in long[:-1]),
        windows_of_10_s=len(short),
        marked_of_10_s=sum(stretch.cut_in_speech for stretch in short),
        in_a_word_of_10_s=sum(recording.in_a_word(stretch.end) for stretch in short[:-1]),
        windows_before_kill=before,
        same_after_kill=same,
        lanes_over_one_by_one=one_by_one,
        lanes_over_one_batch=one_batch,
        speed=speed,
    )
    if options.json:
        print(json.dumps(asdict(result)))
    else:
        print("\n".join(f"{name}: {value}" for name, value in asdict(result).items()))


def killed_and_started_again(recording: LongRecording) -> tuple[int, bool]:
    """Windows heard when the batch was killed, and whether going on gave what an undisturbed run gives."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sound = folder / "hour.wav"
        write_wav(sound, recording.samples)
        command = [sys.executable, "-m", "ownvoice", "transcribe", str(sound), "--model", "tiny", "--format", "json"]
        with subprocess.Popen([*command, "--output", str(folder / "killed")]) as process:
            journal = folder / "killed" / ".unfinished.jsonl"
            while process.poll() is None and heard_windows(journal) < len(recording.clips) // 8:
                time.sleep(0.1)
            process.send_signal(signal.SIGKILL)
        before = heard_windows(journal)
        for output in ("killed", "whole"):
            subprocess.run([*command, "--output", str(folder / output)], check=True, stdout=subprocess.DEVNULL)
        killed, whole = (json.loads((folder / output / "hour.json").read_text()) for output in ("killed", "whole"))
        return before, killed == whole


def heard_windows(journal: Path) -> int:
    return journal.read_text(encoding="utf-8").count('{"window"') if journal.exists() else 0


def speeds(
    recogniser: Recogniser, recording: LongRecording, stretches: list[Stretch]
) -> tuple[list[float], list[float], float]:
    """Windows in lanes against one after the other, and against one batch; and seconds of sound a second."""
    spoken = (recording.samples[stretch.start : stretch.end] for stretch in stretches if not stretch.silent)
    one_by_one, one_batch, rates = [], [], []
    for clips in rounds(spoken):
        together = seconds_of(lambda: answer_in_lanes(recogniser, clips, None))  # noqa: B023 - called at once
        alone = seconds_of(lambda: [answer_clips(recogniser, [clip], None) for clip in clips])  # noqa: B023
        batch = seconds_of(lambda: answer_clips(recogniser, clips, None))  # noqa: B023
        one_by_one.append(round(alone / together, 2))
        one_batch.append(round(batch / together, 2))
        rates.append(sum(clip.size for clip in clips) / SAMPLE_RATE / together)
    return one_by_one, one_batch, round(sorted(rates)[len(rates) // 2], 1)


def rounds(clips: Iterator[np.ndarray]) -> Iterator[list[np.ndarray]]:
    for _ in range(ROUNDS):
        yield list(islice(clips, WINDOWS_A_ROUND))


def seconds_of(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
