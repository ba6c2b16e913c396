"""One thread that hears what waits: windows of many requests in common batches, in turn, with a bound on what waits.

A batch holds windows of one voice and one language, at most one full batch of them; requests take turns, so a recording
of an hour does not keep a short one waiting. While a batch is computed the next gathers by itself. Knows no HTTP.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ownvoice.errors import OwnvoiceError
from ownvoice.model.recording import Piece, Segment, hear
from ownvoice.model.transcribe import BATCH_SIZE
from ownvoice.serving.voices import Voice

_FIRST_GUESS = 1.0
"""Seconds of work a second of sound is thought to take, until the first batch has been heard."""


class QueueFullError(OwnvoiceError):
    """More waits than is allowed; come back after ``retry_after`` seconds."""

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__("too much is waiting to be heard", mend=f"Ask again in {retry_after} s.")


class StoppingError(OwnvoiceError):
    """The server is being stopped and cannot hear this any more."""

    def __init__(self) -> None:
        super().__init__("the server is stopping", mend="Ask again when it is back.")


@dataclass(eq=False)
class Job:
    """The windows of one request. ``changed`` is called, from the hearing thread, whenever there is more to know."""

    voice: Voice
    language: str | None
    pieces: Sequence[Piece]
    changed: Callable[[], object]
    segments: list[Segment | None] = field(init=False)
    asked: int = 0
    """Windows handed to a batch so far."""
    error: Exception | None = None

    def __post_init__(self) -> None:
        self.segments = [None] * len(self.pieces)

    @property
    def seconds(self) -> float:
        rate = self.voice.recogniser.window.sampling_rate
        return sum(piece.samples.size for piece in self.pieces) / rate

    @property
    def heard(self) -> list[Segment]:
        """The segments from the beginning up to the first that is not known yet."""
        known: list[Segment] = []
        for segment in self.segments:
            if segment is None:
                break
            known.append(segment)
        return known

    @property
    def done(self) -> bool:
        return self.error is not None or None not in self.segments


class Batcher:
    """The thread and its queue; :meth:`close` ends it."""

    def __init__(self, max_waiting_seconds: float) -> None:
        self._max_waiting = max_waiting_seconds
        self._jobs: deque[Job] = deque()
        self._held = 0.0
        self._pace = _FIRST_GUESS
        self._deadline: float | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="hearing", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Put a request into the queue.

        Raises
        ------
        QueueFullError
            when more would wait than is allowed; a queue that is empty takes any request.
        StoppingError
            when the time to finish is over.
        """
        with self._changed:
            if self._deadline is not None and time.monotonic() >= self._deadline:
                raise StoppingError
            if self._jobs and self._held + job.seconds > self._max_waiting:
                raise QueueFullError(self.retry_after())
            self._held += job.seconds
            self._jobs.append(job)
            self._changed.notify_all()

    def cancel(self, job: Job) -> None:
        """Nobody waits for this any more; what is being computed is finished, the rest is dropped."""
        with self._changed:
            self._forget(job)

    def retry_after(self) -> int:
        """Seconds after which about half of what waits now will have been heard."""
        return max(1, round(self._held * self._pace / 2))

    def finish_within(self, seconds: float) -> None:
        """Hear what waits for so long; after that every request still waiting ends with :class:`StoppingError`."""
        with self._changed:
            self._deadline = time.monotonic() + seconds
            self._changed.notify_all()
        threading.Thread(target=self._give_up, name="deadline", daemon=True).start()

    def close(self, patience: float) -> bool:
        """End the thread; returns whether it ended within ``patience`` seconds (a batch cannot be interrupted)."""
        with self._changed:
            self._deadline = time.monotonic()
            self._fail(list(self._jobs), StoppingError())
            self._changed.notify_all()
        self._thread.join(patience)
        return not self._thread.is_alive()

    def _give_up(self) -> None:
        with self._changed:
            while (left := (self._deadline or 0.0) - time.monotonic()) > 0:
                self._changed.wait(left)
            self._fail(list(self._jobs), StoppingError())

    def _work(self) -> None:
        while (batch := self._next_batch()) is not None:
            job = batch[0][0]
            started = time.monotonic()
            try:
                with job.voice.speaking() as recogniser:
                    segments = hear(recogniser, [job.pieces[place] for job, place in batch], job.language)
            except (OwnvoiceError, RuntimeError, MemoryError) as error:  # RuntimeError: torch's, out of memory included
                with self._changed:
                    self._fail([job for job, _ in batch], error)
                continue
            self._deliver(batch, segments, time.monotonic() - started)

    def _next_batch(self) -> list[tuple[Job, int]] | None:
        """Windows to hear together; None when the queue is to end."""
        with self._changed:
            while not (waiting := [job for job in self._jobs if job.asked < len(job.pieces)]):
                if self._deadline is not None and time.monotonic() >= self._deadline:
                    return None
                self._changed.wait(None if self._deadline is None else self._deadline - time.monotonic())
            first = waiting[0]
            alike = deque(job for job in waiting if job.voice is first.voice and job.language == first.language)
            batch: list[tuple[Job, int]] = []
            while alike and len(batch) < BATCH_SIZE:
                job = alike.popleft()
                batch.append((job, job.asked))
                job.asked += 1
                if job.asked < len(job.pieces):
                    alike.append(job)
            for job in dict.fromkeys(job for job, _ in batch):  # whoever had its turn waits behind the others
                self._jobs.remove(job)
                self._jobs.append(job)
            return batch

    def _deliver(self, batch: list[tuple[Job, int]], segments: list[Segment], took: float) -> None:
        with self._changed:
            sound = sum(segment.end - segment.start for segment in segments)
            self._pace = 0.8 * self._pace + 0.2 * took / max(sound, 0.1)
            for (job, place), segment in zip(batch, segments, strict=True):
                job.segments[place] = segment
            for job in dict.fromkeys(job for job, _ in batch):
                if job.done:
                    self._forget(job)
                job.changed()

    def _fail(self, jobs: list[Job], error: Exception) -> None:
        for job in dict.fromkeys(jobs):
            if not job.done:
                job.error = error
                self._forget(job)
                job.changed()

    def _forget(self, job: Job) -> None:
        if job in self._jobs:
            self._jobs.remove(job)
            self._held -= job.seconds
