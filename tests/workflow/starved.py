"""Trains a run (first argument) with so many megabytes of memory to spare (the second), which is less than it needs."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import accelerate  # noqa: F401  (libraries are loaded before there is too little memory for them)
import peft  # noqa: F401
import psutil
import torch

from ownvoice.config import TrainingSettings
from ownvoice.errors import MemoryShortageError
from ownvoice.model.load import load_recogniser
from ownvoice.rundir import RunFolder
from ownvoice.workflow.train import go_on

run = RunFolder(Path(sys.argv[1]))
torch.set_num_threads(1)
load_recogniser(TrainingSettings.load(run.config).base_model)
limit = psutil.Process().memory_info().vms + int(sys.argv[2]) * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
try:
    go_on(run, lambda event: None)
except MemoryShortageError:
    sys.exit(0)
sys.exit("it had memory enough")
