"""Loads a model (first argument) with so many megabytes to spare (each of the others), and prints what is said."""

from __future__ import annotations

import resource
import sys

import psutil
import torch

from ownvoice.errors import MemoryShortageError
from ownvoice.model.load import load_recogniser

torch.set_num_threads(1)
load_recogniser(sys.argv[1], device="cpu")  # libraries are loaded before there is too little memory for them
for megabytes in sys.argv[2:]:
    limit = psutil.Process().memory_info().vms + int(megabytes) * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    try:
        load_recogniser(sys.argv[1], device="cpu")
    except MemoryShortageError as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
