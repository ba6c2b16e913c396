"""A small training run, as a function that a process of its own can run and a test can kill."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import jiwer

from ownvoice.config import TrainingSettings
from ownvoice.data.audio import write_wav
from ownvoice.rundir import RunFolder
from ownvoice.training.dev import DevScore
from ownvoice.training.examples import Clip
from ownvoice.training.loop import TrainingResult
from ownvoice.training.trainer import train
from small_voxtral import murmur

TEXTS = [
    "tea please", "open the window", "call the doctor tomorrow", "light", "more water", "close the garden door",
    "music please", "tomorrow", "I want to go out", "tea and water", "the door please", "call me tomorrow",
]  # fmt: skip


def make_clips(folder: Path) -> list[Clip]:
    clips = []
    for number, text in enumerate(TEXTS):
        path = folder / f"{number:02}.wav"
        write_wav(path, murmur(1.5 if number == 2 else 0.5 + 0.03 * number, seed=number))
        clips.append(Clip(f"utterance-{number:02}", path, text))
    return clips


def settings(base: Path, **changes: object) -> TrainingSettings:
    values: dict[str, object] = {"base_model": str(base), "epochs": 4, "batch_size": 2, "lora": {"rank": 4}}
    return TrainingSettings.make(values | changes)


def score(references: Sequence[str], hypotheses: Sequence[str]) -> DevScore:
    return DevScore(jiwer.wer(list(references), list(hypotheses)), jiwer.cer(list(references), list(hypotheses)))


def train_clips(
    run: RunFolder, chosen: TrainingSettings, clips: Sequence[Clip], *, resume: bool = False, **options: object
) -> TrainingResult:
    """Train on all clips but the last three, which choose; as a command would, with the settings in the run."""
    chosen.save(run.config)
    return train(run, chosen, clips[:-3], clips[-3:], options.pop("score", score), resume=resume, **options)  # type: ignore[arg-type]


def train_in_process(run: RunFolder, chosen: TrainingSettings, clips: Sequence[Clip]) -> None:
    import torch

    torch.set_num_threads(1)
    train_clips(run, chosen, clips, resume=True)


def train_together(rank: int, port: int, run: RunFolder, chosen: TrainingSettings, clips: Sequence[Clip]) -> None:
    """One of two processes that train ``run``, as a launcher starts them."""
    import torch

    from ownvoice.training.processes import join_group, leading
    from ownvoice.training.trainer import take_part

    torch.set_num_threads(1)
    os.environ |= {"WORLD_SIZE": "2", "RANK": str(rank), "LOCAL_RANK": str(rank), "OMP_NUM_THREADS": "1"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    if rank == 0:
        with leading():
            train_clips(run, chosen, clips, resume=True)
    else:
        for path in join_group().calls():
            take_part(RunFolder(Path(path)), chosen, clips[:-3], clips[-3:], score)
