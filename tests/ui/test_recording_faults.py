"""Nothing that was said to be saved is ever lost: kills, cut connections, full disks, several people at once.

The server is a real process; what is done to it is what happens to computers.
"""

from __future__ import annotations

import http.client
import random
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from in_browser import Studio
from recorder import Recorder, RefusedError, assert_on_disk, hiss

from ownvoice.data.takes import Takes
from ownvoice.rundir import VoiceFolder


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    """A server of its own for each test."""
    server = Studio(tmp_path)
    yield server
    server.kill()


def recorder(studio: Studio, voice: str = "Anna") -> Recorder:
    page = Recorder(studio.url, voice)
    page.ask("POST", "/voices", {"name": voice})
    return page


@pytest.mark.slow
def test_killed_at_20_random_moments_it_keeps_every_take_it_said_was_saved(studio: Studio) -> None:
    page = recorder(studio)
    over = threading.Event()
    trouble: list[BaseException] = []

    def person() -> None:
        number = 0
        try:
            while not over.is_set():
                page.record(hiss(number))
                number += 1
        except BaseException as error:
            trouble.append(error)
            raise

    thread = threading.Thread(target=person)
    thread.start()
    moments = random.Random(7)
    for _ in range(20):
        over.wait(moments.uniform(0.01, 0.4))
        studio.kill()
        on_disk = {path.stem for path in (studio.voices / "Anna" / "wavs").glob("[!.]*.wav")}
        assert set(page.saved) <= on_disk
        studio.start()
    ends = time.monotonic() + page.patience
    while len(page.saved) < 5 and not trouble and time.monotonic() < ends:  # on a busy machine few came between
        over.wait(0.1)
    over.set()
    thread.join(timeout=60)
    assert not trouble
    assert len(page.saved) >= 5
    session = page.ask("GET", "/voices/Anna/session")
    for unfinished in session["unfinished"]:
        answer = page.ask("POST", f"{page.takes}/{unfinished['take']}/recover")
        raise AssertionError(f"a take was left behind by a page that never gave up: {answer}")
    assert_on_disk(studio.voices / "Anna", page.saved)


def test_a_page_closed_in_mid_take_finds_it_again(studio: Studio) -> None:
    page = recorder(studio)
    sound = hiss(1, seconds=1.5)
    take = page.start("Good morning")
    page.send(take, sound)
    studio.kill()
    studio.start()
    (found,) = Recorder(studio.url, "Anna").ask("GET", "/voices/Anna/session")["unfinished"]
    assert (found["take"], found["text"], found["seconds"]) == (take, "Good morning", 1.5)
    page.ask("POST", f"{page.takes}/{take}/discard")
    assert page.ask("GET", "/voices/Anna/session")["unfinished"] == []
    page.ask("POST", f"{page.takes}/{take}/undiscard")
    answer = page.ask("POST", f"{page.takes}/{take}/recover")
    (utterance,) = assert_on_disk(studio.voices / "Anna", {answer["utterance"]: sound})
    assert utterance.text == "Good morning"


def test_a_connection_that_breaks_in_the_middle_of_a_part_adds_nothing_of_it(studio: Studio) -> None:
    page, sound = recorder(studio), hiss(2)
    take = page.start()
    place = urlsplit(studio.url)
    for cut in (0, 1, 1001, len(sound) - 1):
        with socket.create_connection((place.hostname, place.port)) as wire:
            head = f"PUT {page.takes}/{take}/audio?at=0 HTTP/1.1\r\nHost: {place.netloc}\r\nOrigin: {studio.url}\r\n"
            wire.sendall(f"{head}Content-Length: {len(sound)}\r\n\r\n".encode() + sound[:cut])
    assert page.ask("PUT", f"{page.takes}/{take}/audio?at=9", b"\0\0") == page.ask(
        "PUT", f"{page.takes}/{take}/audio?at=1", b"\0\0"
    )  # both refused, since nothing is there
    page.send(take, sound)
    page.finish(take, sound)
    assert_on_disk(studio.voices / "Anna", page.saved)


def test_answers_that_never_arrive_make_no_second_take(studio: Studio) -> None:
    """The person's page asks for everything twice, since the first answers were lost."""
    page, sound = recorder(studio), hiss(3)
    take = page.start()
    for _ in range(2):
        page.send(take, sound)
    answers = [page.finish(take, sound) for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert_on_disk(studio.voices / "Anna", page.saved)


def test_two_servers_and_four_pages_at_once_overwrite_nothing(studio: Studio, tmp_path: Path) -> None:
    recorder(studio)
    second = Studio(tmp_path / "second", voices=studio.voices)
    try:
        pages = [Recorder(server.url, "Anna") for server in (studio, second) for _ in range(2)]
        threads = [
            threading.Thread(target=lambda page=page, number=number: [page.record(hiss(number + n)) for n in range(4)])
            for number, page in zip(range(0, 400, 100), pages, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        second.kill()
    saved = {name: sound for page in pages for name, sound in page.saved.items()}
    assert len(saved) == 16
    assert_on_disk(studio.voices / "Anna", saved)


def test_a_full_disk_is_said_and_the_take_is_saved_once_there_is_room(small_disk: Path, tmp_path: Path) -> None:
    studio = Studio(tmp_path, voices=small_disk / "voices")
    try:
        page = recorder(studio)
        sound, number = hiss(0, seconds=1.0), 0
        with pytest.raises(RefusedError) as full:
            while number < 20:
                sound = hiss(number, seconds=1.0)
                take = page.start()
                page.send(take, sound)
                page.finish(take, sound)
                number += 1
        assert (full.value.status, full.value.answer["message"]) == (507, "the disk is full")
        assert number >= 2
        assert_on_disk(small_disk / "voices" / "Anna", page.saved)
        assert Recorder(studio.url, "Anna").ask("GET", "/voices/Anna/session")["progress"]["minutes"] > 0

        subprocess.run(["mount", "-o", "remount,size=2m", small_disk], check=True)
        page.send(take, sound)
        page.finish(take, sound)
        assert_on_disk(small_disk / "voices" / "Anna", page.saved)
        assert Takes(VoiceFolder(small_disk / "voices" / "Anna")).unfinished() == []
    finally:
        studio.kill()


def test_ended_by_ctrl_c_it_finishes_what_it_was_saving(studio: Studio) -> None:
    page = recorder(studio)
    page.record(hiss(1))
    studio.process.send_signal(signal.SIGINT)
    assert studio.process.wait(timeout=30) == 130
    assert "everything saved so far is still there" in studio.log.read_text()
    assert "Traceback" not in studio.log.read_text()
    assert_on_disk(studio.voices / "Anna", page.saved)
    with pytest.raises((OSError, http.client.HTTPException)):
        page.ask("GET", "/voices/Anna/session")
    studio.start()
