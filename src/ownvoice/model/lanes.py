"""On a CPU, hears several batches at the same time, each on one core, which is faster than one batch on all of them.

Operations of a short window are too small to share: two threads wait for each other longer than they work. Where there
is a GPU, or one clip alone, everything is as in :func:`~ownvoice.model.transcribe.answer_clips`. The answers are the
same either way.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import torch

from ownvoice.model.load import Recogniser
from ownvoice.model.transcribe import Answer, answer_clips


def answer_in_lanes(recogniser: Recogniser, clips: Sequence[np.ndarray], language: str | None) -> list[Answer]:
    """Transcribe clips; parameters, answers and errors are those of :func:`answer_clips`."""
    lanes = min(torch.get_num_threads(), len(clips)) if recogniser.device.type == "cpu" else 1
    if lanes < 2:
        return answer_clips(recogniser, clips, language)
    # neighbours in length share a batch, and every lane has about the same to do
    order = sorted(range(len(clips)), key=lambda index: clips[index].size)
    shares = [order[lane * len(order) // lanes : (lane + 1) * len(order) // lanes] for lane in range(lanes)]
    heard = _pool(torch.get_num_threads()).map(
        lambda share: answer_clips(recogniser, [clips[index] for index in share], language), shares
    )
    answers = {
        index: answer
        for share, part in zip(shares, heard, strict=True)
        for index, answer in zip(share, part, strict=True)
    }
    return [answers[index] for index in range(len(clips))]


@cache
def _pool(lanes: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(lanes, "lane", initializer=torch.set_num_threads, initargs=(1,))
