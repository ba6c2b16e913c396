"""Where the time of a transcription goes, and what a static cache or an answer that leaves its batch is worth.

    PYTHONPATH=tests python bench/generation.py [--model tiny|mid] [--batch N] [--short] [--rounds N] [--folder FOLDER]
        [--json]

``tiny`` is the built-in model, ``mid`` a Voxtral of true proportions and 0.5 B parameters with random weights (written
into FOLDER once, as by bench/memory.py). Three ways to write the same answers take turns in one process: transformers'
``generate`` as it is, with a static cache, and the package's. The lengths of answers are set beforehand, since a model
with random weights comes to no end: 8 to 20 tokens, or the same but for one that runs on to its bound, as of a model
that says one phrase over and over. Figures are processor seconds; ratios are medians over rounds.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from memory import model_folder
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList

from ownvoice.model.features import encode, log_mel, splice
from ownvoice.model.greedy import write_greedily
from ownvoice.model.load import load_recogniser
from ownvoice.model.transcribe import FEWEST_TOKENS, TOKENS_PER_SECOND
from small_voxtral import murmur

CLIP_SECONDS = 4.0
BOUND = FEWEST_TOKENS + math.ceil(TOKENS_PER_SECOND * CLIP_SECONDS)
NEVER = 0
"""The unknown token, which no model here writes: an answer ends by its length alone."""
Answers = list[list[int]]


class _Lengths(StoppingCriteria):  # type: ignore[misc]
    """Ends each answer at its own length."""

    def __init__(self, lengths: list[int]) -> None:
        self._lengths = torch.tensor(lengths)

    def __call__(self, input_ids: torch.Tensor, scores: object, **more: object) -> torch.Tensor:
        return input_ids.shape[1] >= self._lengths


class Bench:
    """A loaded model and a batch of clips."""

    def __init__(self, model: str, batch: int, folder: Path, *, short: bool) -> None:
        self.recogniser = load_recogniser(model_folder(model, folder), device="cpu", dtype=torch.float32)
        self._clips = [murmur(CLIP_SECONDS, seed=seed) for seed in range(batch)]
        whole = self.recogniser.window
        self._window = whole.ending_after(self._clips[0].size) if short else whole
        self._mels = self.spectrograms()
        self._audio = self.encoded()
        self._ids = torch.tensor([self.recogniser.prompts.prompt(1, None, self._window.audio_tokens)] * batch)
        self.lengths = [8 + 5 * row % 13 for row in range(batch)]

    def spectrograms(self) -> torch.Tensor:
        extractor, whole = self.recogniser.processor.feature_extractor, self.recogniser.window
        return torch.cat([log_mel(extractor, clip, whole)[..., : self._window.mel_frames] for clip in self._clips])

    @torch.inference_mode()
    def encoded(self) -> torch.Tensor:
        return encode(self.recogniser.model, self._mels)

    def ours(self, lengths: list[int]) -> Answers:
        return write_greedily(self.recogniser.model, self._prompts(), lengths, NEVER)

    @torch.inference_mode()
    def generated(self, lengths: list[int], **cache: str) -> Answers:
        config = GenerationConfig(
            do_sample=False,
            max_new_tokens=BOUND,
            eos_token_id=NEVER,
            pad_token_id=self.recogniser.prompts.pad_id,
            **cache,
        )
        written = self.recogniser.model.generate(
            inputs_embeds=self._prompts(),
            attention_mask=torch.ones_like(self._ids),
            generation_config=config,
            stopping_criteria=StoppingCriteriaList([_Lengths(lengths)]),
        )
        return [answer[:length] for answer, length in zip(written.tolist(), lengths, strict=True)]

    @torch.inference_mode()
    def _prompts(self) -> torch.Tensor:
        return splice(self.recogniser.model, self._ids, self._audio)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=("tiny", "mid"), default="tiny")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--short", action="store_true", help="hear short windows rather than whole ones")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where random weights are written, or were")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        bench = Bench(options.model, options.batch, options.folder or Path(made), short=options.short)
        report = {"model": options.model, "batch": options.batch, "short": options.short} | measure(
            bench, options.rounds
        )
    print(json.dumps(report) if options.json else "\n".join(f"{name}: {value}" for name, value in report.items()))


def measure(bench: Bench, rounds: int) -> dict[str, object]:
    """Shares of the stages, and of each way the processor time that ``generate`` takes for its one."""
    cases = {"ended alike": bench.lengths}
    if len(bench.lengths) > 1:
        cases["one ran on"] = [BOUND, *bench.lengths[1:]]
    ways: dict[str, Callable[[list[int]], Answers]] = {
        "generate": bench.generated,
        "static cache": lambda lengths: bench.generated(lengths, cache_implementation="static"),
        "ours": bench.ours,
    }
    stages = {
        "spectrogram": bench.spectrograms,
        "encoder": bench.encoded,
        "prompt": lambda: bench.ours([1] * len(bench.lengths)),
    }
    same = {name: way(bench.lengths) == bench.generated(bench.lengths) for name, way in ways.items()}
    seconds: dict[str, list[float]] = {}
    for turn in range(rounds):
        for name, stage in stages.items():
            seconds.setdefault(name, []).append(processor_seconds(stage))
        for case, lengths in cases.items():
            for name in list(ways) if turn % 2 else list(ways)[::-1]:
                took = processor_seconds(lambda: ways[name](lengths))  # noqa: B023 - called at once
                seconds.setdefault(f"{name}, {case}", []).append(took)
    middle = {name: statistics.median(figures) for name, figures in seconds.items()}
    whole = middle["spectrogram"] + middle["encoder"] + middle["ours, ended alike"]
    answers = middle["ours, ended alike"] - middle["prompt"]
    parts = {name: middle[name] / whole for name in stages} | {"answers": answers / whole}
    return {
        "same answers": same,
        "processor seconds a second of speech": round(whole / CLIP_SECONDS / len(bench.lengths), 3),
        "shares": {name: round(share, 3) for name, share in parts.items()},
        **{
            f"generate / {name}, {case}": ratios(seconds[f"generate, {case}"], seconds[f"{name}, {case}"])
            for case in cases
            for name in ("static cache", "ours")
        },
    }


def ratios(theirs: list[float], ours: list[float]) -> str:
    """Median, least and most over the rounds."""
    each = [one / other for one, other in zip(theirs, ours, strict=True)]
    return f"{statistics.median(each):.2f} ({min(each):.2f}-{max(each):.2f})"


def processor_seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    main()
