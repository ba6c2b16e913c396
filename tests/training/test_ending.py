"""A run that is paused or cancelled stops wherever it is, keeps all it learned, and goes on as if never stopped."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from killable import settings, train_clips

from ownvoice import events
from ownvoice.config import TrainingSettings
from ownvoice.errors import (
    AudioError,
    DiskFullError,
    DivergedError,
    MemoryShortageError,
    ModelError,
    StoppedError,
    storage_faults,
)
from ownvoice.events import EventLog
from ownvoice.model.load import load_recogniser
from ownvoice.rundir import RunFolder
from ownvoice.training.ending import Ending, ask, failure_kind, wish_of
from ownvoice.training.examples import Clip
from ownvoice.training.pace import Pace


def of_kind(run: RunFolder, kind: type[events.Event]) -> list[events.Event]:
    return [event for event in events.read_events(run.events) if isinstance(event, kind)]


def asking(run: RunFolder, wish: str, at: events.Event):  # type: ignore[no-untyped-def]
    """A listener that asks when an event like ``at`` was written."""

    def listen(event: events.Event) -> None:
        if type(event) is type(at) and getattr(event, "step", 0) == getattr(at, "step", 0):
            ask(run, wish)  # type: ignore[arg-type]

    return [listen]


STEP_3, STEP_5 = (events.Step(step, 0, 0, 0, 0, 0) for step in (3, 5))
LOOK_5 = events.Eval(5, 0, 0, 0, True)


@pytest.fixture(scope="module")
def whole(small_voxtral: Path, clips: list[Clip], tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run that nobody stopped."""
    run = RunFolder(tmp_path_factory.mktemp("voice") / "runs" / "whole")
    run.path.mkdir(parents=True)
    train_clips(run, settings(small_voxtral, epochs=2, dev={"every": 1, "patience": 9}), clips)
    return run


@pytest.mark.parametrize(
    ("at", "saved"),
    [(STEP_3, 3), (STEP_5, 5), (LOOK_5, 5)],
    ids=["between steps", "before the dev set is looked at", "after that"],
)
def test_paused_run_goes_on_as_if_never_stopped(
    small_voxtral: Path, clips: list[Clip], run: RunFolder, whole: RunFolder, at: events.Event, saved: int
) -> None:
    chosen = TrainingSettings.load(whole.config)
    with pytest.raises(StoppedError, match="was paused"):
        train_clips(run, chosen, clips, listeners=asking(run, "pause", at))
    assert events.read_events(run.events)[-1] == events.Paused(saved)
    assert wish_of(run) is None and not run.reserve.exists()
    assert load_recogniser(run.path, device="cpu").adapter is not None

    train_clips(run, chosen, clips, resume=True)
    assert of_kind(run, events.Done)[0].best_step == of_kind(whole, events.Done)[0].best_step  # type: ignore[attr-defined]
    for one in (events.Step, events.Eval):
        assert [event.step for event in of_kind(run, one)] == [event.step for event in of_kind(whole, one)]  # type: ignore[attr-defined]
    assert (run.adapter / "adapter_model.safetensors").read_bytes() == (
        whole.adapter / "adapter_model.safetensors"
    ).read_bytes()


def test_cancelled_while_recordings_are_prepared(small_voxtral: Path, clips: list[Clip], run: RunFolder) -> None:
    ask(run, "cancel")
    with pytest.raises(StoppedError, match="was cancelled"):
        train_clips(run, settings(small_voxtral), clips)
    assert [event.name for event in events.read_events(run.events)] == ["stage", "cancelled"]
    assert not run.adapter.exists() and not run.checkpoints.exists()


def test_whatever_ends_a_run_is_its_last_event(run: RunFolder) -> None:
    def last_after(error: BaseException, leaves: type[BaseException]) -> events.Event:
        log = EventLog(run.events)
        with pytest.raises(leaves), Ending(run, log, "evaluate", {"/wavs/1.wav": "first"}):
            assert run.reserve.stat().st_size > 4096
            raise error
        assert not run.reserve.exists()
        return events.read_events(run.events)[-1]

    assert last_after(KeyboardInterrupt(), KeyboardInterrupt) == events.Interrupted(0)
    bad = AudioError("is gone", where="/wavs/1.wav", mend="Record it.")
    assert last_after(bad, AudioError) == events.Failed(
        0, "/wavs/1.wav: is gone\nRecord it.", "bad_data", "evaluate", "first"
    )
    bug = last_after(ZeroDivisionError("by zero"), ZeroDivisionError)
    assert bug == events.Failed(0, "ZeroDivisionError: by zero", "other", "evaluate")
    for shortage in (
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ):
        told = last_after(shortage, MemoryShortageError)
        assert isinstance(told, events.Failed) and told.kind == "out_of_memory"
    before = len(events.read_events(run.events))
    with Ending(run, EventLog(run.events), "train", {}):
        pass
    assert len(events.read_events(run.events)) == before


def test_kind_of_a_failure() -> None:
    with pytest.raises(DiskFullError) as full, storage_faults("/x"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert failure_kind(full.value) == "disk_full"
    assert failure_kind(DivergedError("nan")) == "nan_loss"
    assert failure_kind(ModelError("no")) == "other"


def test_pace_by_hand() -> None:
    pace = Pace()
    assert (pace.clips_per_second, pace.remaining(10, 1)) == (0.0, None)
    pace.add_step(2.0, 4)
    pace.add_step(4.0, 8)
    assert pace.clips_per_second == 2.0
    assert pace.remaining(10, 2) == 30.0
    pace.add_look(5.0)
    assert pace.remaining(10, 2) == 40.0
