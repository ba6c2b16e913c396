"""Records takes over HTTP as the page does: in parts, again after each failure, until the server says "saved"."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np
import soundfile

from ownvoice.data.manifest import read_manifest
from ownvoice.data.utterance import Utterance
from ownvoice.rundir import VoiceFolder

RATE = 16000
"""Of what is sent, so that what is on disk must be the very same samples."""


class RefusedError(Exception):
    """An answer that is neither 2xx nor the 409 that asks for samples."""

    def __init__(self, status: int, answer: dict[str, Any]) -> None:
        super().__init__(f"{status}: {answer}")
        self.status = status
        self.answer = answer


@dataclass
class Recorder:
    """One page of one voice."""

    url: str
    voice: str
    patience: float = 200.0
    """Seconds to go on trying for."""
    saved: dict[str, bytes] = field(default_factory=dict)
    """What was said to be saved: the samples of each take by its utterance's id."""

    def ask(self, method: str, path: str, body: bytes | dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer to one request."""
        content = json.dumps(body).encode() if isinstance(body, dict) else body
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        headers = {"Origin": self.url, "Content-Type": "application/json"}
        try:
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        finally:
            connection.close()
        if response.status >= 300 and not (response.status == 409 and "samples" in answer):
            raise RefusedError(response.status, answer)
        return answer

    def insist(self, method: str, path: str, body: bytes | dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer, from as many requests as it takes while nobody is there to answer."""
        ends = time.monotonic() + self.patience
        while True:
            try:
                return self.ask(method, path, body)
            except (OSError, http.client.HTTPException):
                if time.monotonic() > ends:
                    raise
                time.sleep(0.02)

    @property
    def takes(self) -> str:
        return f"/voices/{quote(self.voice)}/takes"

    def start(self, text: str = "I want tea") -> str:
        body = {"phrase_id": None, "text": text, "sample_rate": RATE, "language": "en"}
        return str(self.insist("POST", self.takes, body)["take"])

    def send(self, take: str, sound: bytes, parts: int = 3) -> None:
        """All samples, from where the server says it is."""
        size = len(sound) // parts // 2 * 2
        stored = 0
        while stored * 2 < len(sound):
            part = sound[stored * 2 : stored * 2 + size + 2]
            stored = self.insist("PUT", f"{self.takes}/{take}/audio?at={stored}", part)["samples"]

    def finish(self, take: str, sound: bytes) -> dict[str, Any]:
        answer = self.insist("POST", f"{self.takes}/{take}/finish", {"samples": len(sound) // 2})
        self.saved[answer["utterance"]] = sound
        return answer

    def record(self, sound: bytes, text: str = "I want tea") -> dict[str, Any]:
        take = self.start(text)
        self.send(take, sound)
        return self.finish(take, sound)


def hiss(seed: int, seconds: float = 0.4) -> bytes:
    """Samples like no others."""
    samples = np.random.default_rng(seed).integers(-8000, 8000, round(RATE * seconds), dtype=np.int16)
    return samples.astype("<i2").tobytes()


def assert_on_disk(voice: Path, saved: dict[str, bytes]) -> list[Utterance]:
    """Exactly what was said to be saved is on disk: each once, its very samples, and no file beside them."""
    utterances = read_manifest(VoiceFolder(voice)).everything
    assert sorted(str(utterance.id) for utterance in utterances) == sorted(saved)
    files = sorted(path.name for path in (voice / "wavs").iterdir())
    assert files == sorted(Path(utterance.audio_path).name for utterance in utterances)
    for utterance in utterances:
        samples, rate = soundfile.read(voice / utterance.audio_path, dtype="int16")
        assert (samples.astype("<i2").tobytes(), rate) == (saved[str(utterance.id)], RATE)
    return utterances
