"""Two processes that train one run, over gloo: the losses of one process, and no way to hang or to lose the run."""

from __future__ import annotations

import multiprocessing
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from killable import settings, train_clips, train_together

from ownvoice import events
from ownvoice.config import TrainingSettings
from ownvoice.errors import AudioError, OwnvoiceError, ProcessLostError
from ownvoice.model.load import load_recogniser
from ownvoice.rundir import RunFolder
from ownvoice.training.ending import ask
from ownvoice.training.examples import Clip
from ownvoice.training.processes import ProcessGroup

pytestmark = pytest.mark.slow

SECONDS = 120
"""Longest a test waits for a process; on a quiet machine each takes a few seconds."""
BATCHES = {"batch_size": 2, "accumulate": 2, "epochs": 3, "dev": {"every": 1, "patience": 9}}


def of_kind(run: RunFolder, kind: type[events.Event]) -> list[events.Event]:
    return [event for event in events.read_events(run.events) if isinstance(event, kind)]


def losses(run: RunFolder) -> list[float]:
    return [event.loss for event in of_kind(run, events.Step)]


def another(run: RunFolder, name: str) -> RunFolder:
    other = RunFolder(run.path.with_name(name))
    other.path.mkdir(parents=True)
    return other


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def two_processes(
    run: RunFolder, chosen: TrainingSettings, clips: Sequence[Clip], target: Callable[..., None] = train_together
) -> Iterator[list[BaseProcess]]:
    """Start them; whatever happens, both are gone afterwards."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["killable", "peft", "transformers.models.voxtral.modeling_voxtral", "accelerate"])
    port = free_port()
    both = [context.Process(target=target, args=(rank, port, run, chosen, clips)) for rank in (0, 1)]
    for process in both:
        process.start()
    try:
        yield both
    finally:
        for process in both:
            process.kill()
            process.join()


def exit_codes(both: Sequence[BaseProcess]) -> list[int | None]:
    deadline = time.monotonic() + SECONDS
    for process in both:
        process.join(max(0.0, deadline - time.monotonic()))
    return [process.exitcode for process in both]


def wait_for(run: RunFolder, kind: type[events.Event], count: int = 1) -> None:
    deadline = time.monotonic() + SECONDS
    while not (run.events.exists() and len(of_kind(run, kind)) >= count):
        assert time.monotonic() < deadline, f"no {kind.name} in time"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def whole(small_voxtral: Path, clips: list[Clip], tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run of one process that nobody stopped."""
    run = RunFolder(tmp_path_factory.mktemp("voice") / "runs" / "whole")
    run.path.mkdir(parents=True)
    train_clips(run, settings(small_voxtral, **BATCHES, augment={"specaugment": True}), clips)
    return run


def test_two_processes_learn_what_one_learns(
    small_voxtral: Path, clips: list[Clip], run: RunFolder, whole: RunFolder
) -> None:
    """Five batches an epoch, two a step: in the last step of each epoch the second process has nothing to do."""
    chosen = settings(small_voxtral, **BATCHES, augment={"specaugment": True})
    with two_processes(run, chosen, clips) as both:
        assert exit_codes(both) == [0, 0]
    assert losses(run) == pytest.approx(losses(whole), abs=1e-4)
    looks, expected = (
        [(look.step, look.dev_wer, look.best) for look in of_kind(one, events.Eval)] for one in (run, whole)
    )
    assert looks == expected
    dev = [[look.dev_loss for look in of_kind(one, events.Eval)] for one in (run, whole)]
    assert dev[0] == pytest.approx(dev[1], abs=1e-4)
    assert load_recogniser(run.path).adapter is not None
    assert {path.name for path in run.path.iterdir()} == {path.name for path in whole.path.iterdir()}


def test_killed_process_ends_the_other_and_one_goes_on(
    small_voxtral: Path, clips: list[Clip], run: RunFolder, whole: RunFolder
) -> None:
    chosen = settings(small_voxtral, **BATCHES, augment={"specaugment": True})
    with two_processes(run, chosen, clips) as (main, other):
        wait_for(run, events.Checkpoint)
        other.kill()
        killed = time.monotonic()
        main.join(SECONDS)
        assert time.monotonic() - killed < 10
        assert main.exitcode == 1
    (failed,) = of_kind(run, events.Failed)
    assert failed.kind == "worker_killed"
    assert "another of the processes that train this run has ended" in failed.message and "--resume" in failed.message
    train_clips(run, chosen, clips, resume=True)
    assert losses(run) == pytest.approx(losses(whole), abs=1e-4)
    assert of_kind(run, events.Done)[-1].dev_wer == of_kind(whole, events.Done)[-1].dev_wer


def test_killed_main_process_ends_the_other(small_voxtral: Path, clips: list[Clip], run: RunFolder) -> None:
    with two_processes(run, settings(small_voxtral, **BATCHES | {"epochs": 200}), clips) as (main, other):
        wait_for(run, events.Step)
        main.kill()
        killed = time.monotonic()
        other.join(SECONDS)
        assert time.monotonic() - killed < 10
        assert other.exitcode == 1


def test_pause_is_heeded_by_both_and_two_go_on_where_one_stopped(
    small_voxtral: Path, clips: list[Clip], run: RunFolder, whole: RunFolder
) -> None:
    chosen = settings(small_voxtral, **BATCHES, augment={"specaugment": True})

    def press(event: events.Event) -> None:
        if isinstance(event, events.Step) and event.step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_clips(run, chosen, clips, listeners=[press])
    with two_processes(run, chosen, clips) as both:
        wait_for(run, events.Step, 4)
        ask(run, "pause")
        assert exit_codes(both) == [1, 0]  # the main one says that it was paused, the other was let go
    assert len(of_kind(run, events.Paused)) == 1
    with two_processes(run, chosen, clips) as both:
        assert exit_codes(both) == [0, 0]
    assert losses(run) == pytest.approx(losses(whole), abs=1e-4)


def train_with_little_memory(
    rank: int, port: int, run: RunFolder, chosen: TrainingSettings, clips: Sequence[Clip]
) -> None:
    """The second process runs out of memory in passes of more than two utterances."""
    from contextlib import nullcontext

    from test_step import card_for

    with card_for(2) if rank else nullcontext():
        train_together(rank, port, run, chosen, clips)


def test_memory_that_runs_out_in_one_halves_the_passes_of_both(
    small_voxtral: Path, clips: list[Clip], run: RunFolder
) -> None:
    chosen = settings(small_voxtral, epochs=2, batch_size=4, accumulate=2, lora={"rank": 4, "dropout": 0})
    expected = another(run, "whole")
    train_clips(expected, chosen, clips)
    with two_processes(run, chosen, clips, train_with_little_memory) as both:
        assert exit_codes(both) == [0, 0]
    assert losses(run) == pytest.approx(losses(expected), abs=1e-4)
    (warning,) = of_kind(run, events.Warning)
    assert "From here on 2 instead of 4 recordings" in warning.message


def disagree(rank: int, port: int, results: multiprocessing.SimpleQueue) -> None:  # type: ignore[type-arg]
    import os

    from ownvoice.training.processes import join_group

    os.environ |= {"WORLD_SIZE": "2", "RANK": str(rank), "LOCAL_RANK": str(rank), "OMP_NUM_THREADS": "1"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    group = join_group()

    def work() -> int:
        if rank:
            raise AudioError("the recording is gone", where="0001.wav", mend="Put it back.")
        return rank

    try:
        group.together(work)
    except OwnvoiceError as error:
        results.put((rank, type(error).__name__, str(error), error.where))


def test_what_one_cannot_do_ends_both_in_the_same_words() -> None:
    context = multiprocessing.get_context("forkserver")
    results, port = context.SimpleQueue(), free_port()
    both = [context.Process(target=disagree, args=(rank, port, results)) for rank in (0, 1)]
    for process in both:
        process.start()
    assert exit_codes(both) == [0, 0]
    assert sorted(results.get() for _ in both) == [
        (rank, "AudioError", "0001.wav: the recording is gone\nPut it back.", "0001.wav") for rank in (0, 1)
    ]


@pytest.mark.parametrize(("size", "items"), [(1, 3), (2, 5), (3, 2), (4, 0)])
def test_what_was_shared_is_dealt_back_in_order(size: int, items: int) -> None:
    groups = [ProcessGroup(rank, size) for rank in range(size)]
    shares = [group.share(list(range(items))) for group in groups]
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    assert groups[0].deal(shares) == list(range(items))


def test_alone_nothing_is_asked_of_others() -> None:
    def fail() -> None:
        raise ProcessLostError("gone")

    assert ProcessGroup().together(lambda: 3) == [3] and ProcessGroup().by_main(lambda: 4) == 4
    with pytest.raises(ProcessLostError):
        ProcessGroup().together(fail)
