"""What training with given settings needs on this machine, whether it is there, and what to choose where it is not.

Arithmetic from the model's shape, and from earlier runs where there are any; it loads no model and no torch, and
downloads nothing. The figures are for choosing, not promises.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from math import ceil
from pathlib import Path
from typing import Any, Literal

import numpy as np
import psutil

from ownvoice import events
from ownvoice.config import TINY, VOXTRAL_MINI, TrainingSettings, merged
from ownvoice.data.manifest import scan_manifest
from ownvoice.model.processor import cpu_has_bf16
from ownvoice.model.source import TINY_WEIGHTS
from ownvoice.quantities import counted
from ownvoice.rundir import VoiceFolder
from ownvoice.training.preflight import (
    HEARD_TOGETHER,
    MINI_3B,
    PROCESS_BYTES,
    SMALL_24B,
    MemoryEstimate,
    Place,
    Shape,
    computes_twice,
    estimate_memory,
    estimate_run,
    estimate_work,
    features_bytes,
)
from ownvoice.workflow.nearest import nearest_changes

Problem = Literal["memory", "disk", "time"]

EFFICIENCY = 0.4
"""Share of a large matrix product's speed that a step reaches; what ``ownvoice demo`` came to on two CPU cores."""
LOOK_WORK = 2.0
"""Transcribing a clip of the dev set costs about as much as training on it twice: it is written word by word."""
READ_SPEED = 5e8
"""Bytes of a model's weights read from a disk in a second."""
START_SECONDS = 10.0
"""Until libraries are loaded and recordings prepared."""
TOO_LONG = 2 * 24 * 3600.0
"""Seconds after which a person is told that this machine is too slow for it."""
TRAIN_SHARE, DEV_SHARE, TEST_SHARE = 0.7, 0.1, 0.2
LARGEST_DEV, LARGEST_TEST = 100, 400
"""Of a voice's utterances (see :mod:`ownvoice.data.split`)."""

_KNOWN = {VOXTRAL_MINI: MINI_3B, "mistralai/Voxtral-Small-24B-2507": SMALL_24B}


@dataclass(frozen=True)
class Machine:
    """What trains here."""

    device: str
    """cpu, cuda or mps."""
    name: str
    bf16: bool
    memory_total: int
    memory_free: int
    flops: float
    """Operations a second of a large matrix product."""


@dataclass(frozen=True)
class Need:
    """What one choice of settings needs; bytes and seconds."""

    memory: int | None
    """None where the model's shape is not known before it is downloaded."""
    parts: MemoryEstimate | None
    """What the memory holds, the process itself left out."""
    disk: int
    """Of it, :attr:`download` is the base model and :attr:`cache` what is computed of the recordings."""
    download: int
    cache: int
    seconds: float | None
    twice: bool
    """Whether layers are computed twice, which saves memory (``checkpointing``)."""
    measured: bool
    """Whether the time comes from an earlier run with the same model, method and scope, rather than from arithmetic."""


@dataclass(frozen=True)
class Preflight:
    """Whether it can be done here."""

    machine: Machine
    need: Need
    disk_free: int
    problems: tuple[Problem, ...]
    changes: Mapping[str, Any] | None
    """The nearest settings that would do, to be laid over those asked for; None where nothing is in the way or nothing
    helps."""
    instead: Need | None
    """What it needs with these changes."""

    def to_json(self) -> dict[str, object]:
        """``{"device", "fits", "problems": ["memory" | "disk" | "time"], "memory": {"needed", "free", "total",
        "weights", "optimiser", "activations"}, "disk": {"needed", "free", "download", "cache"}, "seconds", "measured",
        "changes": null | {...}, "instead": null | {"memory", "disk", "seconds"}}``.
        """
        need, instead = self.need, self.instead
        return {
            "device": self.machine.name,
            "fits": not self.problems,
            "problems": list(self.problems),
            "memory": {
                "needed": need.memory,
                "free": self.machine.memory_free,
                "total": self.machine.memory_total,
                **(
                    {"weights": None, "optimiser": None, "activations": None}
                    if need.parts is None
                    else asdict(need.parts)
                ),
            },
            "disk": {"needed": need.disk, "free": self.disk_free, "download": need.download, "cache": need.cache},
            "seconds": need.seconds,
            "measured": need.measured,
            "changes": self.changes,
            "instead": instead and {"memory": instead.memory, "disk": instead.disk, "seconds": instead.seconds},
        }


def preflight(voice: VoiceFolder, settings: TrainingSettings) -> Preflight:
    """Work out what training ``voice`` with ``settings`` needs here.

    On a machine with a graphics card the first call takes some seconds, since another process asks the card.

    Raises
    ------
    DataError
        when this is no voice folder, or its table cannot be read.
    """
    here = machine()
    free = shutil.disk_usage(voice.require().path).free
    lengths = [utterance.duration or 0 for _, utterance in scan_manifest(voice).lines]
    need = _need(voice, lengths, settings, here)
    problems = _problems(need, here, free)
    if not problems:
        return Preflight(here, need, free, (), None, None)

    def with_changes(changes: Mapping[str, Any]) -> Need:
        return _need(voice, lengths, TrainingSettings.make(merged(settings.model_dump(), changes)), here)

    def fits(changes: Mapping[str, Any]) -> bool:
        return not _problems(with_changes(changes), here, free)

    changes = nearest_changes(settings, fits, card=here.device != "cpu")
    return Preflight(here, need, free, problems, changes, None if changes is None else with_changes(changes))


def suited_base() -> str:
    """The base model to offer first: Voxtral-Mini-3B where a card here can train adapters on it, else the small one."""
    here = machine()
    fits = estimate_memory(MINI_3B, "lora", bf16=here.bf16, twice=True).total + PROCESS_BYTES <= here.memory_free
    return VOXTRAL_MINI if fits and here.device != "cpu" else TINY


def machine() -> Machine:
    """What trains here; its free memory as it is now where that can be told without torch."""
    found = _machine()
    return replace(found, memory_free=psutil.virtual_memory().available) if found.device != "cuda" else found


@cache
def _machine() -> Machine:
    if _may_have_accelerator():
        done = subprocess.run(
            [sys.executable, "-m", "ownvoice.training.machine"], capture_output=True, text=True, check=True
        )
        return Machine(**json.loads(done.stdout))
    memory = psutil.virtual_memory()
    name = f"CPU ({counted(psutil.cpu_count() or 1, 'thread')})"
    return Machine("cpu", name, cpu_has_bf16(), memory.total, memory.available, _measure_cpu())


def _may_have_accelerator() -> bool:
    """Whether it is worth loading torch to ask; a machine of which none of this is true has only its CPU."""
    cards = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
    return sys.platform == "darwin" or bool(shutil.which("nvidia-smi")) or any(Path(card).exists() for card in cards)


def _measure_cpu() -> float:
    """Operations a second of a matrix product, the best of three."""
    side = 1024
    matrix = np.ones((side, side), np.float32)
    best = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        matrix @ matrix
        best = min(best, time.perf_counter() - began)
    return 2.0 * side**3 / best


def _need(voice: VoiceFolder, lengths: Sequence[float], settings: TrainingSettings, here: Machine) -> Need:
    """What training with ``settings`` needs for the voice's recordings of these lengths (seconds)."""
    shape = _shape(settings.base_model)
    if shape is None:
        return Need(None, None, 0, 0, 0, None, twice=False, measured=False)
    each = _windows(lengths, shape)
    windows, longest = sum(each), max(each, default=1)
    place = Place(here.device != "cpu", here.bf16, here.memory_free)
    heard = min(HEARD_TOGETHER, ceil(DEV_SHARE * windows))
    twice = computes_twice(shape, settings, place, windows=longest, heard=heard)
    memory = estimate_run(shape, settings, place, twice=twice, windows=longest, heard=heard)
    cache = _cache_bytes(shape, settings, windows, here)
    download = 0 if _is_here(settings.base_model) else shape.parameters * 2
    seconds = _seconds_measured(voice, settings)
    measured = seconds is not None
    if seconds is None:
        heard_again = DEV_SHARE * settings.epochs / settings.dev.every + 2 * TEST_SHARE  # in the end by base and tuned
        work = estimate_work(shape, settings.method, twice=twice) * TRAIN_SHARE * settings.epochs
        work += estimate_work(shape, settings.method) * LOOK_WORK * heard_again
        seconds = START_SECONDS + memory.weights / READ_SPEED + windows * work / (EFFICIENCY * here.flops)
    disk = _run_bytes(shape, settings, here) + cache + download
    return Need(memory.total + PROCESS_BYTES, memory, disk, download, cache, seconds, twice, measured)


def _run_bytes(shape: Shape, settings: TrainingSettings, here: Machine) -> int:
    """The model kept and a checkpoint with weights and two moments, each beside its successor while that is written."""
    width = 2 if here.bf16 else 4
    full = settings.method == "full"
    trained = shape.parameters if full else shape.lora_parameters(settings.lora.rank, settings.scope)
    return 2 * (trained * 4 * 3 + (shape.parameters * width if full else trained * 4))


def _cache_bytes(shape: Shape, settings: TrainingSettings, windows: int, here: Machine) -> int:
    """What is kept of the recordings that are learned from, in all their variants, and of the dev set."""
    dev, test = min(DEV_SHARE * windows, LARGEST_DEV), min(TEST_SHARE * windows, LARGEST_TEST)
    kept = (windows - dev - test) * settings.augment.variants + dev
    needed = kept * features_bytes(shape, settings.scope, bf16=here.bf16 and shape.kept_in_bf16)
    return round(min(needed, settings.cache_gb * 1e9))


def _problems(need: Need, here: Machine, disk_free: int) -> tuple[Problem, ...]:
    found: list[Problem] = []
    if need.memory is not None and need.memory > here.memory_free:
        found.append("memory")
    if need.disk > disk_free:
        found.append("disk")
    if need.seconds is not None and need.seconds > TOO_LONG:
        found.append("time")
    return tuple(found)


def _shape(base_model: str) -> Shape | None:
    """The base model's shape where it can be known without a download."""
    if base_model in _KNOWN:
        return _KNOWN[base_model]
    folder = TINY_WEIGHTS if base_model == TINY else Path(base_model)
    if not folder.is_dir():
        folder = next((weights.parent for weights in _downloaded(base_model)), folder)
    try:
        return Shape.of_folder(base_model, folder)
    except (OSError, ValueError, KeyError, TypeError):  # no model: preparing the run says so, with what is wrong
        return None


def _is_here(base_model: str) -> bool:
    return base_model == TINY or Path(base_model).is_dir() or any(_downloaded(base_model))


def _downloaded(base_model: str) -> Iterator[Path]:
    """Files of weights that the Hub's client has fetched of a model."""
    from huggingface_hub.constants import HF_HUB_CACHE

    return Path(HF_HUB_CACHE, f"models--{base_model.replace('/', '--')}").glob("snapshots/*/*.safetensors")


def _windows(lengths: Sequence[float], shape: Shape) -> list[int]:
    """Windows that each recording fills; one of unknown length (0) counts as one."""
    seconds = shape.audio_frames / 50  # the encoder hears 50 frames a second
    return [max(1, ceil(length / seconds)) for length in lengths]


def _seconds_measured(voice: VoiceFolder, settings: TrainingSettings) -> float | None:
    """The time by the pace of earlier runs of this voice with the same model, method, scope and variants."""
    seconds = []
    for run in voice.started_runs():
        then = TrainingSettings.load(run.config)
        alike = ("base_model", "method", "scope", "batch_size")
        if any(getattr(then, name) != getattr(settings, name) for name in alike):
            continue
        story = events.read_events(run.events)
        steps = [event for event in story if isinstance(event, events.Step) and event.clips_per_second]
        looks = [event.seconds for event in story if isinstance(event, events.Eval)]
        starts = [event for event in story if isinstance(event, events.Start)]
        if steps and starts:
            pace = statistics.median(step.clips_per_second for step in steps)
            look = statistics.median(looks) if looks else 0.0
            times = settings.epochs / settings.dev.every
            seconds.append(starts[-1].train * settings.epochs / pace + times * look)
    return seconds[-1] if seconds else None
