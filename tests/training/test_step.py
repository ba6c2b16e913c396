"""Memory that runs out in a step: smaller passes, the same loss, and a run that goes on as if never stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from killable import settings, train_clips

from ownvoice import events
from ownvoice.errors import MemoryShortageError
from ownvoice.model.loss import LabelLoss
from ownvoice.rundir import RunFolder
from ownvoice.training.examples import Clip
from ownvoice.training.loop import TrainingResult

BATCHES = {"batch_size": 4, "accumulate": 2, "dev": {"every": 2}, "optimiser": {"learning_rate": 3e-3}}
EXACT = {**BATCHES, "lora": {"rank": 4, "dropout": 0}}


@contextmanager
def card_for(clips: int, *, after: int = 0) -> Iterator[None]:
    """A device that runs out of memory on the way back of a pass over more clips, once ``after`` passes went well."""
    done = 0

    def on_the_way_back(gradient: torch.Tensor) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    def watch(module: torch.nn.Module, inputs: tuple[object, ...], output: torch.Tensor) -> None:
        nonlocal done
        if isinstance(module, LabelLoss) and output.requires_grad:
            done += 1
            if inputs[0].ids.shape[0] > clips and done > after:  # type: ignore[attr-defined]
                output.register_hook(on_the_way_back)

    hook = torch.nn.modules.module.register_module_forward_hook(watch)
    try:
        yield
    finally:
        hook.remove()


def told(run: RunFolder) -> list[str]:
    return [event.message for event in events.read_events(run.events) if isinstance(event, events.Warning)]


def losses(run: RunFolder) -> list[float]:
    return [event.loss for event in events.read_events(run.events) if isinstance(event, events.Step)]


def another(run: RunFolder) -> RunFolder:
    other = RunFolder(run.path.with_name("other"))
    other.path.mkdir()
    return other


def test_smaller_passes_learn_the_same(small_voxtral: Path, clips: list[Clip], run: RunFolder) -> None:
    """The second pass of a step fails: what the first gave would count twice if it were kept."""
    whole = another(run)
    train_clips(whole, settings(small_voxtral, **EXACT), clips)
    with card_for(2, after=1):
        train_clips(run, settings(small_voxtral, **EXACT), clips)
    assert losses(run) == pytest.approx(losses(whole), abs=1e-5)
    assert len(losses(run)) == 8
    assert told(run) == [
        "Memory ran out in step 1. From here on 2 instead of 4 recordings are heard at a time. "
        "What is learned stays the same; it takes a little longer."
    ]


def test_halved_as_often_as_it_takes(small_voxtral: Path, clips: list[Clip], run: RunFolder) -> None:
    with card_for(1, after=6):
        train_clips(run, settings(small_voxtral, **EXACT), clips)
    assert [sentence.split(". ")[1] for sentence in told(run)] == [
        "From here on 2 instead of 4 recordings are heard at a time",
        "From here on 1 instead of 2 recordings are heard at a time",
    ]


def test_run_goes_on_with_its_smaller_passes(small_voxtral: Path, clips: list[Clip], run: RunFolder) -> None:
    """Dropout depends on how a step is divided, so a run that goes on must divide as the one never stopped."""
    chosen = settings(small_voxtral, **BATCHES)

    def press(event: events.Event) -> None:
        if isinstance(event, events.Checkpoint) and event.step == 4:
            raise KeyboardInterrupt

    whole = another(run)
    with card_for(2, after=3):
        train_clips(whole, chosen, clips)
    with card_for(2, after=3), pytest.raises(KeyboardInterrupt):
        train_clips(run, chosen, clips, listeners=[press])
    result: TrainingResult = train_clips(run, chosen, clips, resume=True)  # memory is there again
    assert losses(run) == losses(whole)
    assert result.steps == 8
    assert len(told(run)) == len(told(whole)) == 1


def test_too_little_for_one_recording(small_voxtral: Path, clips: list[Clip], run: RunFolder) -> None:
    with card_for(0), pytest.raises(MemoryShortageError, match="too little memory for even one recording at a time"):
        train_clips(run, settings(small_voxtral, **EXACT), clips)
    (failed,) = [event for event in events.read_events(run.events) if isinstance(event, events.Failed)]
    assert failed.kind == "out_of_memory"
    assert "--checkpointing always" in failed.message
