"""The way into training: makes a run ready, holds it against other processes, and lets the loop run.

Reads no manifest and makes no split: it is handed clips, and a function that scores transcripts. The loop itself is
:mod:`ownvoice.training.loop`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import torch

from ownvoice import events
from ownvoice.config import TINY, AugmentSettings, TrainingSettings
from ownvoice.errors import (
    MemoryShortageError,
    OwnvoiceError,
    ProcessLostError,
    TooLittleDataError,
    TrainingError,
    UsageError,
)
from ownvoice.events import EventLog, Listener
from ownvoice.model.adapters import add_lora, compute_twice, train_whole
from ownvoice.model.cache import FeatureStore
from ownvoice.model.device import choose_device, computing_dtype
from ownvoice.model.load import Recogniser, load_recogniser
from ownvoice.model.source import find_model
from ownvoice.quantities import counted
from ownvoice.rundir import RunFolder
from ownvoice.training.allocator import give_back_freed_memory
from ownvoice.training.checkpoint import checkpoint_step, latest_checkpoint
from ownvoice.training.dev import Score
from ownvoice.training.durable import locked
from ownvoice.training.ending import Ending, heed
from ownvoice.training.examples import Clip, Example, ExampleMaker
from ownvoice.training.keep import clear_unfinished
from ownvoice.training.loop import TrainingLoop, TrainingResult
from ownvoice.training.preflight import Place, Shape, computes_twice, device_memory
from ownvoice.training.processes import ProcessGroup, join_group
from ownvoice.training.windows import settle_windows

PREPARE_SECONDS = 0.5
"""Time between two reports of how many recordings are prepared."""


def train(
    run: RunFolder,
    settings: TrainingSettings,
    train: Sequence[Clip],
    dev: Sequence[Clip],
    score: Score,
    *,
    resume: bool = False,
    listeners: Sequence[Listener] = (),
) -> TrainingResult:
    """Train until the epochs are over or the dev set no longer improves; the best model lies in the run's folder.

    Ctrl-C leaves ``KeyboardInterrupt`` to the caller and the run as it was at its last checkpoint, as a crash does;
    neither writes a ``failed`` event, and both are gone on from with ``resume``. So is a run that a person paused or
    cancelled from elsewhere (:func:`ownvoice.training.ending.ask`).

    Parameters
    ----------
    run
        An existing folder; features are kept in its voice's cache.
    train, dev
        Clips to learn from, and clips to choose the best state by. No clip should be in both.
    score
        Gives the error rates of transcripts of the dev set.
    resume
        Go on from the last checkpoint; from the start where there is none yet. A finished run is left as it is.

    Raises
    ------
    TooLittleDataError
        when there are no clips of one kind.
    TrainingError
        when the run was started before and ``resume`` is not set, its settings or recordings have changed, the loss
        is no longer a number, the device's memory is too small, or the run was paused or cancelled.
    ModelError, AudioError, StorageError
        when the base model, a recording or the disk fails. The run can be resumed when the cause is gone.
    """
    if not train or not dev:
        raise TooLittleDataError("training needs recordings to learn from and a dev set to choose by", where=run.path)
    with locked(run):
        if resume and (finished := _finished(run)):
            return finished
        if not resume and latest_checkpoint(run):
            raise TrainingError("this run was started before", where=run.path, mend="Go on with it: use --resume.")
        log = EventLog(run.events, *listeners)
        with Ending(run, log, "prepare", {str(clip.audio): clip.id for clip in (*train, *dev)}) as ending:
            clear_unfinished(run)
            log.rewind(checkpoint_step(run))
            group = join_group()
            group.lead(str(run.path))
            loop = _ready_loop(run, settings, train, dev, score, log, group)
            ending.stage = "train"
            return loop.run()


def take_part(
    run: RunFolder, settings: TrainingSettings, train: Sequence[Clip], dev: Sequence[Clip], score: Score
) -> None:
    """Do a share of what the main process does in :func:`train`, whose parameters these are, and write nothing.

    What ends the run before its time ends this too, and is raised in the main process alone.

    Raises
    ------
    ProcessLostError
        when one of the processes is no longer there.
    """
    try:
        _ready_loop(run, settings, train, dev, score, EventLog(None), join_group()).run()
    except ProcessLostError:
        raise
    except OwnvoiceError:
        return


def _ready_loop(
    run: RunFolder,
    settings: TrainingSettings,
    train: Sequence[Clip],
    dev: Sequence[Clip],
    score: Score,
    log: EventLog,
    group: ProcessGroup,
) -> TrainingLoop:
    """Load the base, make the examples, choose what is trained, and go back to the last checkpoint."""
    log.emit(events.Stage("load"))
    twice = _computes_twice(settings)  # by what is free before the weights are there
    give_back_freed_memory(scarce=twice)
    recogniser = _load_base(settings, group)
    store = FeatureStore(run.voice.cache, round(settings.cache_gb * 1e9))
    maker = ExampleMaker(recogniser, store, settings)
    reporter = _PrepareReporter(run, log, len(group.share(train)) + len(group.share(dev)))
    dev_examples = _prepared(maker, dev, None, reporter, group)
    settings = group.by_main(lambda: settle_windows(run, settings, recogniser, maker, dev_examples, score, log))
    maker.short = settings.window == "short"
    train_examples = _prepared(maker, train, settings.augment, reporter, group)
    if maker.unkept:
        log.emit(events.Warning(_cache_is_full(run, settings, maker.unkept)))
    if settings.method == "full":
        train_whole(recogniser.model, settings.scope)
    else:
        base_name = _lasting_name(settings.base_model)
        recogniser.adapter = add_lora(
            recogniser.model, settings.scope, settings.lora, seed=settings.seed, base_name=base_name
        )
    if twice:
        compute_twice(recogniser.model)
    loop = TrainingLoop(run, settings, recogniser, maker, train_examples, dev_examples, score, log, group)
    loop.go_back_to_checkpoint()
    return loop


def _prepared(
    maker: ExampleMaker,
    clips: Sequence[Clip],
    augment: AugmentSettings | None,
    reporter: _PrepareReporter,
    group: ProcessGroup,
) -> list[Example]:
    """Examples of all clips, each prepared by one process."""
    return group.deal(group.together(lambda: maker.prepare(group.share(clips), augment, reporter)))


def _cache_is_full(run: RunFolder, settings: TrainingSettings, unkept: int) -> str:
    those = counted(unkept, "recording and its variants", "recordings and their variants")
    return (
        f"There is no room to keep what was computed of {those}, so it is computed each "
        f"time they are heard: the same result, more slowly. Give more room than {settings.cache_gb:g} GB with "
        f"--cache-gb in the next run, or delete {run.voice.cache}, which holds nothing else."
    )


def _computes_twice(settings: TrainingSettings) -> bool:
    device = choose_device()
    place = Place(device.type != "cpu", computing_dtype(device) == torch.bfloat16, device_memory(device).free)
    shape = Shape.of_folder(settings.base_model, find_model(settings.base_model).base)
    return computes_twice(shape, settings, place)


def _load_base(settings: TrainingSettings, group: ProcessGroup) -> Recogniser:
    if group.is_sharded and settings.eight_bit_moments:
        raise UsageError(
            "what is held in 4 or 8 bits cannot be spread over several cards",
            mend="Start with accelerate launch --multi_gpu: each card then holds all of the model.",
        )
    # Weights that are trained themselves are float32: bfloat16 would lose most of each small update.
    dtype = torch.float32 if settings.method == "full" else None
    card = choose_device()
    is_spread = group.is_sharded and card.type != "cpu"
    if is_spread:  # a card is given its share alone, out of the computer's memory
        dtype = dtype or computing_dtype(card)
    try:
        recogniser = load_recogniser(
            settings.base_model,
            device="cpu" if is_spread else None,
            dtype=dtype,
            quantised=settings.method == "qlora",
        )
    except MemoryShortageError as error:
        raise MemoryShortageError(
            error.what,
            where=error.where,
            mend="Close other programs and go on with --resume; or start a run with --method qlora on a graphics card, "
            "with a smaller --base-model, or on a rented machine (--on hf-jobs:FLAVOR).",
        ) from error
    if is_spread:
        recogniser.computes_in = computing_dtype(card)
    if recogniser.adapter is not None:
        raise TrainingError(
            "a run starts from a full model, and this is an adapter",
            where=settings.base_model,
            mend=f"Start from its base, {recogniser.base_name}.",
        )
    return recogniser


def _lasting_name(base_model: str) -> str:
    """A folder's absolute path, so that the adapter finds its base from anywhere; other names as they are."""
    path = Path(base_model)
    return str(path.resolve()) if base_model != TINY and path.is_dir() else base_model


class _PrepareReporter:
    """Counts prepared clips, tells of them now and then, and stops where a person wants that."""

    def __init__(self, run: RunFolder, log: EventLog, total: int) -> None:
        self._run = run
        self._log = log
        self._total = total
        self._done = 0
        self._told = 0.0

    def __call__(self) -> None:
        heed(self._run)
        self._done += 1
        if self._done == self._total or time.monotonic() - self._told > PREPARE_SECONDS:
            self._told = time.monotonic()
            self._log.emit(events.Prepare(self._done, self._total))


def _finished(run: RunFolder) -> TrainingResult | None:
    for event in events.read_events(run.events):
        if isinstance(event, events.Done):
            return TrainingResult(
                event.step, event.best_step, event.loss, event.dev_wer, event.seconds, event.stopped_early
            )
    return None
