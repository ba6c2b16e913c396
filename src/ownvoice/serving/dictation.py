"""Live dictation over a WebSocket: sound goes in, each phrase comes back, first as a draft, then for good.

The protocol is in docs/serving.md. A phrase that is over is never dropped: where the queue is full it waits its turn,
and no more sound is taken in meanwhile, so that the connection itself holds up the client and memory stays bounded.
Drafts are made when there is time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Mapping
from typing import Literal

import numpy as np
from fastapi import WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ownvoice.config import Language
from ownvoice.data.audio import RATES, SAMPLE_RATE
from ownvoice.errors import OwnvoiceError
from ownvoice.model.recording import Piece, Segment
from ownvoice.serving.batching import Batcher, Job, QueueFullError
from ownvoice.serving.phrases import Phrase, PhraseCutter
from ownvoice.serving.voices import Voice

_START_SECONDS = 10.0
"""How long a client that has connected may take to say what it wants."""
_DRAFT_EVERY = 1.0
"""Seconds of new sound after which the phrase being spoken is drafted again."""
_DRAFT_REST = 2.0
"""Seconds of new sound that a draft waits for, for each second that the last hearing took: where hearing is slow, a
phrase that is over seldom waits behind a draft of itself."""
_PHRASES_WAITING = 4
"""Phrases that are over and not heard yet; with more, no sound is taken in."""
_FULL_PAUSE = 0.5
"""Seconds until a phrase asks for its place in a full queue again."""


class Start(BaseModel):
    """A client's first message."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["start"]
    model: str
    language: Language | None = None
    sample_rate: int = Field(SAMPLE_RATE, ge=RATES.start, lt=RATES.stop)
    pause: float = Field(1.2, ge=0.3, le=10)
    """Seconds of silence that end a phrase."""


async def dictate(socket: WebSocket, voices: Mapping[str, Voice], batcher: Batcher) -> None:
    """Serve one connection from its first message to its last."""
    await socket.accept()
    try:
        async with asyncio.timeout(_START_SECONDS):
            start = Start.model_validate_json(await socket.receive_text())
    except (ValidationError, TimeoutError, KeyError):  # KeyError: sound before the start
        await _refuse(socket, 'the first message has to be {"type": "start", "model": NAME, ...}')
        return
    except WebSocketDisconnect:
        return
    if start.model not in voices:
        await _refuse(socket, f"there is no model {start.model!r} here; there are: {', '.join(voices)}")
        return
    voice = voices[start.model]
    await _send(socket, {"type": "ready", "model": voice.name, "language": start.language or voice.language})
    session = _Session(socket, voice, start, batcher)
    with contextlib.suppress(WebSocketDisconnect):
        await session.run()


async def _send(socket: WebSocket, message: dict[str, object]) -> None:
    await socket.send_text(json.dumps(message, ensure_ascii=False))


async def _refuse(socket: WebSocket, reason: str) -> None:
    with contextlib.suppress(WebSocketDisconnect):
        await _send(socket, {"type": "error", "message": reason})
        await socket.close(1008)


class _Session:
    """One dictation: one task takes sound in, another has it heard and answers."""

    def __init__(self, socket: WebSocket, voice: Voice, start: Start, batcher: Batcher) -> None:
        import soxr

        self._socket = socket
        self._voice = voice
        self._batcher = batcher
        self._language = start.language or voice.language
        self._cutter = PhraseCutter(voice.recogniser.window.samples, start.pause)
        self._resampler = None
        if start.sample_rate != SAMPLE_RATE:
            self._resampler = soxr.ResampleStream(start.sample_rate, SAMPLE_RATE, 1, dtype="float32")
        self._over: deque[Phrase] = deque()
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._ended = False

    async def run(self) -> None:
        answering = asyncio.ensure_future(self._answer())
        try:
            await self._take_in()
            await answering
            await _send(self._socket, {"type": "done"})
            await self._socket.close()
        except OwnvoiceError as error:
            await _refuse(self._socket, str(error))
        finally:
            answering.cancel()

    async def _take_in(self) -> None:
        """Until the client says stop; raises :class:`WebSocketDisconnect` when it goes away."""
        while True:
            await self._room.wait()
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1000))
            if (sound := message.get("bytes")) is not None:
                self._over += self._cutter.feed(self._samples(sound))
            elif _kind(message.get("text")) == "stop":
                self._over += self._cutter.finish()
                self._ended = True
                self._changed.set()
                return
            if len(self._over) > _PHRASES_WAITING:
                self._room.clear()
            self._changed.set()

    def _samples(self, sound: bytes) -> np.ndarray:
        """PCM16 little-endian to float32 at the model's rate; half a sample at the end is no sound."""
        samples = np.frombuffer(sound[: len(sound) // 2 * 2], "<i2").astype(np.float32) / 32768
        if self._resampler is None or not samples.size:
            return samples
        resampled: np.ndarray = self._resampler.resample_chunk(samples)
        return resampled

    async def _answer(self) -> None:
        """Phrases that are over first and in order; a draft of the one being spoken when nothing else waits."""
        drafted, took, clock = 0, 0.0, asyncio.get_running_loop().time
        while True:
            began = clock()
            if self._over:
                phrase = self._over[0]
                heard = await self._hear(phrase, patient=True)
                self._over.popleft()
                self._room.set()
                drafted, took = 0, clock() - began
                if heard is not None and heard.text:
                    end = phrase.start + phrase.samples.size / SAMPLE_RATE
                    times = {"start": round(phrase.start, 3), "end": round(end, 3), "doubtful": heard.doubtful}
                    await self._say("final", phrase, heard.text, times)
                continue
            if self._ended:
                return
            current = self._cutter.current
            rest = max(_DRAFT_EVERY, _DRAFT_REST * took) * SAMPLE_RATE
            if current is not None and current.samples.size - drafted >= rest:
                drafted = current.samples.size
                heard = await self._hear(current, patient=False)
                took = clock() - began
                if heard is not None and not self._over:
                    await self._say("partial", current, heard.text, {})
                continue
            self._changed.clear()
            await self._changed.wait()

    async def _say(self, kind: str, phrase: Phrase, text: str, more: Mapping[str, object]) -> None:
        await _send(self._socket, {"type": kind, "phrase": phrase.number, "text": text, **more})

    async def _hear(self, phrase: Phrase, *, patient: bool) -> Segment | None:
        """What was said; None where the queue is full and it is not worth waiting."""
        loop, changed = asyncio.get_running_loop(), asyncio.Event()
        while True:
            piece = Piece(phrase.stretch, phrase.samples)
            job = Job(self._voice, self._language, [piece], lambda: loop.call_soon_threadsafe(changed.set))
            try:
                self._batcher.submit(job)
            except QueueFullError:
                if not patient:
                    return None
                await asyncio.sleep(_FULL_PAUSE)
                continue
            try:
                await changed.wait()
            finally:
                self._batcher.cancel(job)
            if job.error is not None:
                raise job.error
            return job.segments[0]


def _kind(text: str | None) -> object:
    try:
        content = json.loads(text or "")
    except ValueError:
        return None
    return content.get("type") if isinstance(content, dict) else None
