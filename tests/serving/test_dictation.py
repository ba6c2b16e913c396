"""Live dictation over a real WebSocket: phrases come back as they end, and nothing spoken is lost."""

from __future__ import annotations

import itertools
import json
import socket as sockets
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from live_server import CLIPS, Server
from ownvoice.data.audio import SAMPLE_RATE, load_audio
from ownvoice.serving.phrases import PhraseCutter

FRAME = SAMPLE_RATE // 10


def pcm(samples: np.ndarray) -> bytes:
    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def open_socket(server: Server, **headers: str) -> ClientConnection:
    return connect(server.url.replace("http", "ws") + "/v1/dictation", additional_headers=headers or None)


def dictated(server: Server, samples: np.ndarray, *, rate: int = SAMPLE_RATE) -> list[dict[str, Any]]:
    """Send sound as fast as it is taken, and collect what comes back."""
    with open_socket(server) as socket:
        start = {"type": "start", "model": "tiny", "language": "en", "sample_rate": rate, "pause": 0.8}
        socket.send(json.dumps(start))
        assert json.loads(socket.recv())["type"] == "ready"
        sound = pcm(samples)
        for place in range(0, len(sound), 2 * FRAME):
            socket.send(sound[place : place + 2 * FRAME])
        socket.send(json.dumps({"type": "stop"}))
        messages = []
        while not messages or messages[-1]["type"] != "done":
            messages.append(json.loads(socket.recv(timeout=60)))
    return messages


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


@pytest.fixture(scope="module")
def three_phrases() -> np.ndarray:
    clips = [load_audio(clip) for clip in CLIPS[:3]]
    return np.concatenate([part for clip in clips for part in (silence(1.0), clip)] + [silence(1.5)])


def test_each_phrase_comes_back_in_order(server: Server, three_phrases: np.ndarray) -> None:
    messages = dictated(server, three_phrases)
    finals = [message for message in messages if message["type"] == "final"]
    assert [final["phrase"] for final in finals] == [1, 2, 3]
    assert all(final["text"] for final in finals)
    for before, after in itertools.pairwise(finals):
        assert before["start"] < before["end"] <= after["start"]
    for place, message in enumerate(messages):
        if message["type"] == "partial":
            later = {later["phrase"] for later in messages[place:] if later["type"] == "final"}
            assert message["phrase"] in later, "a draft comes before its phrase is final"


def test_other_sampling_rates(server: Server, three_phrases: np.ndarray) -> None:
    import soxr

    slow = soxr.resample(three_phrases, SAMPLE_RATE, 44_100)
    assert sum(message["type"] == "final" for message in dictated(server, slow, rate=44_100)) == 3


def test_silence_is_no_phrase(server: Server) -> None:
    assert [message["type"] for message in dictated(server, silence(3))] == ["done"]


def test_a_drop_in_the_middle_leaves_the_server_alive(server: Server, three_phrases: np.ndarray) -> None:
    with open_socket(server) as socket:
        socket.send(json.dumps({"type": "start", "model": "tiny"}))
        socket.send(pcm(three_phrases[: 4 * SAMPLE_RATE]))
        socket.socket.shutdown(sockets.SHUT_RDWR)
    assert dictated(server, silence(0.5))[-1] == {"type": "done"}


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        ('{"type": "start", "model": "nobody"}', "there are: tiny"),
        ('{"type": "start", "model": "tiny", "pause": 0}', "the first message has to be"),
        ("not JSON", "the first message has to be"),
        (b"\0\0", "the first message has to be"),
    ],
)
def test_a_wrong_start_is_refused_in_words(server: Server, first: str | bytes, reason: str) -> None:
    with open_socket(server) as socket:
        socket.send(first)
        message = json.loads(socket.recv())
        assert message["type"] == "error"
        assert reason in message["message"]
        with pytest.raises(ConnectionClosed):
            socket.recv()


def test_web_page_of_somebody_else_may_not_listen(server: Server) -> None:
    with pytest.raises(InvalidStatus):
        open_socket(server, Origin="https://evil.example")


def fed(cutter: PhraseCutter, samples: np.ndarray, block: int) -> list[tuple[float, int]]:
    phrases = [
        phrase for place in range(0, samples.size, block) for phrase in cutter.feed(samples[place : place + block])
    ]
    return [(phrase.start, phrase.samples.size) for phrase in [*phrases, *cutter.finish()]]


def test_phrases_do_not_depend_on_how_the_sound_comes_in(three_phrases: np.ndarray) -> None:
    whole = fed(PhraseCutter(10 * SAMPLE_RATE, 0.8), three_phrases, three_phrases.size)
    bits = fed(PhraseCutter(10 * SAMPLE_RATE, 0.8), three_phrases, 700)
    assert whole == bits
    assert len(whole) == 3


def test_a_long_phrase_is_cut_and_no_sample_is_lost() -> None:
    clips = [load_audio(clip) for clip in CLIPS[:4]]
    speech = np.concatenate(clips)
    phrases = fed(PhraseCutter(3 * SAMPLE_RATE, 5.0), speech, FRAME)
    assert len(phrases) >= 3
    assert all(samples <= 3 * SAMPLE_RATE for _, samples in phrases)
    for (start, samples), (following, _) in itertools.pairwise(phrases):
        assert following <= start + samples / SAMPLE_RATE + 1e-6, "what follows begins where it ended, or before"
    last_start, last_samples = phrases[-1]
    assert last_start + last_samples / SAMPLE_RATE == pytest.approx(speech.size / SAMPLE_RATE, abs=0.01)


def test_a_longer_pause_can_be_asked_for(three_phrases: np.ndarray) -> None:
    assert len(fed(PhraseCutter(20 * SAMPLE_RATE, 3.0), three_phrases, FRAME)) == 1
