"""Has memory that training frees on a processor go back to the system at once.

glibc takes large pieces from the system one by one and returns each when it is freed, until it has seen some come and
go: then it cuts them from one growing heap (mallopt(3), M_MMAP_THRESHOLD), whose freed places the next tensors, of
other sizes, often do not fit. A pass whose layers are computed twice then held three times what existed of it.
Graphics cards have PyTorch's own allocator, which this leaves alone.
"""

from __future__ import annotations

import ctypes
import os
import sys

M_MMAP_THRESHOLD = -3
"""Its name in glibc's ``malloc.h``."""
LARGE_BYTES = 2**23
"""What is at least so large is taken from the system by itself: values of a layer, for many clips or in large models.
Setting it also ends glibc's own raising of it."""
LARGE_BYTES_WHERE_SCARCE = 2**20
"""The same where memory is short: holds less, but taking so much from the system costs a quarter of the time where a
pass is small (four clips and the built-in model: bench/results)."""


def give_back_freed_memory(*, scarce: bool) -> None:
    """Fix what counts as large; where the C library is not glibc, memory stays as it is managed there.

    Tensors of 2 MB and more then take huge pages, or the system would spend more time on handing out small ones than
    the heap saved (PyTorch reads this when it first makes a tensor).
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(M_MMAP_THRESHOLD, LARGE_BYTES_WHERE_SCARCE if scarce else LARGE_BYTES)
