"""A process that hears for the app: a run's model and its base, kept warm while somebody uses them.

It is ``ownvoice serve``, on this computer alone and with a key that only the process which started it knows; it ends
with that process, or when nobody has used it for a while. So the app needs no torch, and holds no memory for a model
that nobody uses. How sound becomes text is :mod:`ownvoice.serving`'s.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from ownvoice.config import TrainingSettings
from ownvoice.credentials import Secret
from ownvoice.errors import AudioError, ModelError
from ownvoice.rundir import RunFolder
from ownvoice.workflow.complaint import complaint_in

Which = Literal["base", "tuned"]

IDLE_SECONDS = 600.0
"""A model nobody used for so long lets its memory go."""
LOOK_SECONDS = 15.0
HEAR_SECONDS = 600.0
"""Longest that one recording may take on a slow machine."""


@dataclass(frozen=True)
class Readiness:
    """Whether a run can be listened with."""

    state: Literal["closed", "opening", "ready", "failed"]
    reason: str | None = None
    """What the process complained of, where it failed."""


@dataclass(frozen=True)
class _Process:
    run: Path
    process: subprocess.Popen[bytes]
    port: int
    key: Secret
    complaints: IO[bytes]


class Listener:
    """The one listening process of a server; another run takes its place, since each fills a machine's memory."""

    def __init__(self, idle_seconds: float = IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._current: _Process | None = None
        self._ready = False
        self._used = 0.0
        self._changing = threading.Lock()

    def open(self, run: RunFolder) -> Readiness:
        """Start loading a run's model and its base, unless they are loaded; returns at once."""
        with self._changing:
            current = self._current
            if current is None or current.run != run.path or current.process.poll() is not None:
                self._end()
                self._start(run)
        return self.readiness(run)

    def readiness(self, run: RunFolder) -> Readiness:
        """How far it is."""
        current = self._current
        if current is None or current.run != run.path:
            return Readiness("closed")
        if current.process.poll() is not None:
            current.complaints.seek(0)
            return Readiness("failed", complaint_in(current.complaints.read()))
        return Readiness("ready" if self._has_loaded(current) else "opening")

    def hear(self, run: RunFolder, which: Which, sound: bytes) -> str:
        """What a model of the run writes for a recording, a file of any common format.

        Raises
        ------
        ModelError
            when it is not open, or ended meanwhile.
        AudioError
            when the recording cannot be read.
        """
        import httpx

        address, headers = self.connection(run)
        try:
            answer = httpx.post(
                f"http://{address}/v1/audio/transcriptions",
                headers=headers,
                files={"file": ("recording", sound)},
                data={"model": which},
                timeout=HEAR_SECONDS,
                trust_env=False,  # no proxy between this computer and itself
            )
        except httpx.TransportError:
            raise ModelError("the model ended while it was listening", mend="Open it again.") from None
        self.touch()
        if answer.status_code >= 500:
            raise ModelError(answer.json()["error"]["message"], mend="Try again.")
        if answer.status_code >= 400:
            raise AudioError(answer.json()["error"]["message"])
        text: str = answer.json()["text"]
        return text

    def connection(self, run: RunFolder) -> tuple[str, dict[str, str]]:
        """Host with port of the open process, and the headers that let one in.

        Raises
        ------
        ModelError
            when it is not open.
        """
        current = self._current
        if current is None or self.readiness(run).state != "ready":
            raise ModelError("the model is not open", mend="Reload the page.")
        self.touch()
        return f"127.0.0.1:{current.port}", {"authorization": f"Bearer {current.key.reveal()}"}

    def touch(self) -> None:
        """It is in use."""
        self._used = time.monotonic()

    def close(self) -> None:
        """End the process."""
        with self._changing:
            self._end()

    def _start(self, run: RunFolder) -> None:
        base = TrainingSettings.load(run.require().config).base_model
        key, port = Secret(secrets.token_urlsafe(32)), _free_port()
        complaints = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the process runs)
        command = ["serve", "--host", "127.0.0.1", "--port", str(port), "--while-pid", str(os.getpid())]
        process = subprocess.Popen(  # noqa: S603 (our own program, and a path that was checked)
            [sys.executable, "-m", "ownvoice", *command, "--model", f"tuned={run.path}", "--model", f"base={base}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            env={**os.environ, "OWNVOICE_API_KEY": key.reveal()},
        )
        self._current, self._ready = _Process(run.path, process, port, key, complaints), False
        self.touch()
        threading.Thread(target=self._end_when_idle, args=(process,), daemon=True).start()

    def _end(self) -> None:
        if self._current is not None:
            self._current.process.terminate()
            self._current.process.wait()
            self._current.complaints.close()
            self._current = None

    def _end_when_idle(self, process: subprocess.Popen[bytes]) -> None:
        while process.poll() is None:
            time.sleep(min(LOOK_SECONDS, self._idle_seconds))
            with self._changing:
                current = self._current
                if current is None or current.process is not process:
                    return
                if self._has_loaded(current) and time.monotonic() - self._used > self._idle_seconds:
                    self._end()

    def _has_loaded(self, current: _Process) -> bool:
        """Whether it has loaded; from then on it can be idle."""
        if not self._ready and _answers(current.port):
            self._ready = True
            self.touch()
        return self._ready


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    import httpx

    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", timeout=1, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
