"""Runs the server until it is told to stop, and then answers what it has accepted before it ends.

SIGTERM or Ctrl-C: no new request is accepted, what waits is heard for :data:`FINISH_SECONDS`, what is left then gets an
honest 503, and the process has ended :data:`EXIT_SECONDS` after the signal at the latest.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import psutil
import uvicorn

from ownvoice.config import ServeSettings
from ownvoice.credentials import server_key
from ownvoice.serving.access import Access
from ownvoice.serving.batching import Batcher
from ownvoice.serving.gate import Gate
from ownvoice.serving.server import Service, build_server
from ownvoice.serving.uploads import Uploads
from ownvoice.serving.voices import load_voices

FINISH_SECONDS = 6.0
"""For what waits when the signal comes."""
_PATIENCE = FINISH_SECONDS + 0.5
"""From the signal until what has no answer yet is refused: those that wait to be heard have just been."""
EXIT_SECONDS = 9.0
"""From the signal to the end: supervisors kill after ten (docker stop)."""
_CONNECTIONS = 1024
"""Open connections; more are answered with 503."""


class _Server(uvicorn.Server):
    """uvicorn, with signals that first let the queue finish; it would re-raise them and so end with a failure."""

    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], None], on_start: Callable[[int], None]) -> None:
        super().__init__(config)
        self._on_stop = on_stop
        self._on_start = on_start

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        def stop(number: int, frame: object) -> None:
            self._on_stop()
            self.force_exit = self.should_exit and number == signal.SIGINT
            self.should_exit = True

        before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.servers:
            self._on_start(self.servers[0].sockets[0].getsockname()[1])


def serve(
    models: Sequence[str],
    settings: ServeSettings,
    started: Callable[[str, Sequence[str]], None],
    *,
    while_pid: int | None = None,
) -> None:
    """Load models and answer until SIGTERM or Ctrl-C.

    Parameters
    ----------
    models
        As :func:`~ownvoice.serving.voices.load_voices` takes them.
    started
        Called with the server's address and the names of its models as soon as it answers.
    while_pid
        A process with whose end this one is to stop too.

    Raises
    ------
    UsageError
        when other computers could reach it without a key, or names clash.
    ModelError
        when a model cannot be loaded.
    """
    origins = [origin.strip() for origin in settings.origins.split(",") if origin.strip()]
    access = Access(settings.host, server_key(), origins)
    voices = load_voices(models)
    batcher = Batcher(settings.max_waiting_seconds)
    service = Service(voices, batcher, Uploads(settings.max_seconds), settings)
    gate = Gate(build_server(service), settings=settings, access=access, retry_after=batcher.retry_after)
    _allow_many_files()

    def stop() -> None:
        if not gate.stopping:
            gate.stop(_PATIENCE)
            batcher.finish_within(FINISH_SECONDS)
            _end_at_the_latest(EXIT_SECONDS)

    if while_pid is not None:
        threading.Thread(target=_stop_after, args=(while_pid,), daemon=True).start()
    name = f"[{settings.host}]" if ":" in settings.host else settings.host
    _Server(_config(gate, settings), stop, lambda port: started(f"http://{name}:{port}", tuple(voices))).run()
    batcher.close(patience=0.2)
    _leave()


def _config(gate: Gate, settings: ServeSettings) -> uvicorn.Config:
    return uvicorn.Config(
        gate,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # who asks is told by the connection, and not by what it says of itself
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=int(EXIT_SECONDS - 1),
        ws_max_size=1_000_000,
        ws_max_queue=4,
    )


def _allow_many_files() -> None:
    """A connection is an open file, and systems often allow a thousand."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * _CONNECTIONS if hard == resource.RLIM_INFINITY else min(hard, 4 * _CONNECTIONS)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _stop_after(pid: int) -> None:
    while psutil.pid_exists(pid):
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def _end_at_the_latest(seconds: float) -> None:
    timer = threading.Timer(seconds, _leave)
    timer.daemon = True
    timer.start()


def _leave() -> None:
    """End now: a batch or a recording being decoded cannot be interrupted, and its request has had its answer.

    On a busy machine Python itself takes seconds to put away libraries of this size, and nothing is left to be saved.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
