"""The queue: what waits together is heard together, in turn, within its bound, and ends when it is told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from live_server import CLIPS
from ownvoice.data.audio import SAMPLE_RATE, load_audio
from ownvoice.model.pauses import Stretch
from ownvoice.model.recording import Piece
from ownvoice.serving.batching import Batcher, Job, QueueFullError, StoppingError
from ownvoice.serving.voices import Voice, load_voices


@pytest.fixture(scope="module")
def voice() -> Voice:
    return load_voices(["tiny"])["tiny"]


@pytest.fixture
def batcher() -> Iterator[Batcher]:
    made = Batcher(max_waiting_seconds=120)
    yield made
    assert made.close(patience=30)


class Asked:
    """A job and the order in which it was done."""

    done_in_order: list[Asked]

    def __init__(self, voice: Voice, windows: int, *, silent: bool = False) -> None:
        samples = np.zeros(5 * SAMPLE_RATE, np.float32) if silent else load_audio(CLIPS[0])
        piece = Piece(Stretch(0, samples.size, speech=0.0 if silent else 1.0), samples)
        self.done = threading.Event()
        self.job = Job(voice, "en", [piece] * windows, self._changed)

    def _changed(self) -> None:
        if self.job.done:
            self.done_in_order.append(self)
            self.done.set()


@pytest.fixture(autouse=True)
def done_in_order() -> list[Asked]:
    Asked.done_in_order = []
    return Asked.done_in_order


def test_short_requests_do_not_wait_for_long_ones(voice: Voice, batcher: Batcher, done_in_order: list[Asked]) -> None:
    long, short = Asked(voice, 34), Asked(voice, 1)
    batcher.submit(long.job)
    batcher.submit(short.job)
    assert long.done.wait(120)
    assert done_in_order == [short, long]
    assert {segment.text for segment in long.job.heard} == {short.job.heard[0].text}


def test_more_sound_than_is_allowed_is_refused_with_a_time(voice: Voice, batcher: Batcher) -> None:
    first, second = Asked(voice, 38), Asked(voice, 38)
    batcher.submit(first.job)
    with pytest.raises(QueueFullError) as caught:
        batcher.submit(second.job)
    assert caught.value.retry_after >= 1
    batcher.cancel(first.job)
    batcher.submit(second.job)
    batcher.cancel(second.job)


def test_what_is_left_when_time_is_over_is_told_so(voice: Voice, batcher: Batcher) -> None:
    asked = Asked(voice, 38)
    batcher.submit(asked.job)
    batcher.finish_within(0.0)
    assert asked.done.wait(30)
    assert isinstance(asked.job.error, StoppingError)
    with pytest.raises(StoppingError):
        batcher.submit(Asked(voice, 1).job)


def test_what_can_be_heard_in_time_is(voice: Voice) -> None:
    batcher = Batcher(max_waiting_seconds=120)
    asked = Asked(voice, 3, silent=True)
    batcher.submit(asked.job)
    batcher.finish_within(20.0)
    assert asked.done.wait(20)
    assert asked.job.error is None
    assert batcher.close(patience=30)
