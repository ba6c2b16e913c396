"""What the commands write about a person is for that person's eyes alone, and nothing of it is told to the network."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from bad_place import Place, run

from small_voxtral import murmur

PERSONAL = {".wav", ".jsonl", ".yaml", ".json", ".html", ".txt", ".features", ".safetensors"}
"""Endings of files that hold a voice, words, or what was made of them."""

OF_A_LIBRARY = {"adapter_config.json", "state.json"}
"""Settings and counters without a word of a person's, written by libraries as they like, in folders nobody enters."""

_CONNECTS = ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname")


class Network:
    """Everything this process asks of the network, other computers' or this one's, while ``listens``."""

    def __init__(self) -> None:
        self.listens = True
        self.asked: list[str] = []
        sys.addaudithook(self._hear)  # Python itself tells of it, whichever library asks

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.listens and event in _CONNECTS:
            self.asked.append(f"{event} {arguments}")


@pytest.fixture
def network() -> Iterator[Network]:
    network = Network()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with socket.socket() as asking, pytest.raises(ConnectionRefusedError):
            asking.connect(closed.getsockname())
    assert len(network.asked) == 1, "it would not have heard a library ask"
    network.asked.clear()
    yield network
    network.listens = False  # no such hook can be taken away


def open_to_others(folder: Path) -> list[str]:
    return sorted(
        f"{path.relative_to(folder.parent)} {path.stat().st_mode & 0o777:o}"
        for path in (folder, *folder.rglob("*"))
        if path.stat().st_mode & 0o077
        and (path.is_dir() or (path.suffix in PERSONAL and path.name not in OF_A_LIBRARY))
    )


def clips(place: Place, count: int) -> str:
    for number in range(count):
        samples: np.ndarray = murmur(0.9, seed=number)
        place.clip(f"in/{number}.wav", samples)
        place.write(f"in/{number}.txt", f"tea please {number}")
    return str(place.folder / "in")


def test_from_import_to_evaluation_nobody_else_can_look_into_a_voice_and_nothing_is_asked_of_the_network(
    place: Place, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.folder)
    usual = os.umask(0)  # of a careless system: what is not said is open to everybody
    try:
        assert run(["import", clips(place, 12), "voices/me"]).exit_code == 0
        trained = run(["train", "voices/me", "--base-model", str(place.model), "--epochs", "1"])
        assert trained.exit_code == 0, trained.output
        made = next(Path("voices/me/runs").iterdir())
        assert run(["evaluate", str(made)]).exit_code == 0
    finally:
        os.umask(usual)
    assert network.asked == []
    assert open_to_others(Path("voices")) == []
    assert (made / "evaluation.html").is_file()
