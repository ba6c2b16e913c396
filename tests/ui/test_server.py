"""The app's server as a process: soon there, alone with this computer, as fast for the 500th phrase as at first."""

from __future__ import annotations

import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from in_browser import Studio
from recorder import Recorder, assert_on_disk, hiss

WATCH = """
import os, sys

def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        tell(f"{event} {arguments[1:] if event.startswith('socket.c') else arguments}")
    elif event == "import" and arguments[0] in ("torch", "transformers", "peft", "gradio", "datasets"):
        tell(f"import {arguments[0]}")

def tell(line):
    descriptor = os.open(os.environ["WATCHED"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, line.encode() + b"\\n")
    os.close(descriptor)

tell("watching")
sys.addaudithook(watch)
"""
"""Written as sitecustomize.py, so that Python itself tells of each connection and import from its start on."""


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[Studio, Path]]:
    """A server, and the file of what it connected to and imported."""
    (tmp_path / "hooks").mkdir()
    (tmp_path / "hooks" / "sitecustomize.py").write_text(WATCH)
    told = tmp_path / "told.txt"
    studio = Studio(tmp_path, environment={"PYTHONPATH": str(tmp_path / "hooks"), "WATCHED": str(told)})
    yield studio, told
    studio.kill()


def test_it_asks_no_other_computer_for_anything_and_loads_no_torch(watched: tuple[Studio, Path]) -> None:
    studio, told = watched
    page = Recorder(studio.url, "Anna")
    page.ask("POST", "/voices", {"name": "Anna"})
    page.record(hiss(1))
    page.ask("POST", "/voices/Anna/room-check?sample_rate=16000", hiss(2, seconds=1.5))
    page.ask("GET", "/voices/Anna/session")
    page.ask("GET", "/voices/Anna/utterances")
    page.ask("GET", "/voices/Anna/findings")
    lines = told.read_text().splitlines()
    assert lines[0] == "watching"
    assert [line for line in lines[1:] if "127.0.0.1" not in line] == []


def test_the_watch_would_have_told(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WATCH)
    (tmp_path / "torch.py").touch()
    program = "import socket\ntry: socket.create_connection(('192.0.2.1', 9), 0.01)\nexcept OSError: pass\nimport torch"
    environment = {"PYTHONPATH": str(tmp_path), "WATCHED": str(tmp_path / "told.txt"), "PATH": ""}
    subprocess.run([sys.executable, "-c", program], env=environment, check=False, timeout=60)
    told = (tmp_path / "told.txt").read_text()
    assert "socket.connect" in told and "192.0.2.1" in told and "import torch" in told


def test_the_first_page_is_there_within_three_seconds(tmp_path: Path) -> None:
    """In the server's own processor time, so that a busy machine does not count; a start spends no time waiting."""
    studio = Studio(tmp_path)
    try:
        spent = psutil.Process(studio.process.pid).cpu_times()
        assert spent.user + spent.system < 3.0
    finally:
        studio.kill()


def test_a_port_that_is_taken_is_said_and_the_next_one_used(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "ownvoice", "app", "--no-browser", "--voices", str(tmp_path)]
        refused = subprocess.run([*command, "--port", str(port)], capture_output=True, text=True, timeout=60)
        assert refused.returncode == 2 and "this port is taken" in refused.stderr
    foreign = subprocess.run(
        [*command, "--host", "192.0.2.1", "--port", str(port)], capture_output=True, text=True, timeout=60
    )
    assert foreign.returncode == 2 and "cannot listen there" in foreign.stderr


def test_interface_py_is_the_same_command() -> None:
    shim = Path(__file__).parents[2] / "interface.py"
    helped = [
        subprocess.run([sys.executable, *command, "--help"], capture_output=True, text=True, timeout=60)
        for command in ([str(shim)], ["-m", "ownvoice", "app"])
    ]
    assert helped[0].returncode == 0 and "--no-browser" in helped[0].stdout
    assert helped[0].stdout == helped[1].stdout


def test_two_on_the_usual_port_get_on(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ownvoice", "app", "--no-browser", "--voices", str(tmp_path)]
    with socket.socket() as usual:
        usual.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            usual.bind(("127.0.0.1", 7860))
            usual.listen()
        except OSError:
            pass  # somebody has it already, which is as good
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            assert process.stderr is not None
            said = process.stderr.readline() + process.stderr.readline()
        finally:
            process.kill()
            process.communicate()
    assert "Port 7860 is taken" in said
    assert re.search(r"ownvoice is at http://127\.0\.0\.1:78(6[1-9]|[7-9]\d)/", said)


@pytest.mark.slow
def test_the_500th_phrase_is_saved_as_fast_as_the_first(tmp_path: Path) -> None:
    """From stop to saved. The first 50 of one voice and the last 50 of another take turns: noise falls on both."""
    studio = Studio(tmp_path)
    try:
        full, new = Recorder(studio.url, "Full"), Recorder(studio.url, "New")
        for page in (full, new):
            page.ask("POST", "/voices", {"name": page.voice})
        sound = hiss(1, seconds=0.1)

        def seconds_to_saved(page: Recorder, number: int) -> float:
            take = page.start(f"phrase {number}")
            page.send(take, sound, parts=1)
            begin = time.perf_counter()
            page.finish(take, sound)
            return time.perf_counter() - begin

        for number in range(450):
            seconds_to_saved(full, number)
        times = [(seconds_to_saved(new, number), seconds_to_saved(full, 450 + number)) for number in range(50)]
        first, last = zip(*times, strict=True)
        assert np.percentile(last, 95) < 1.5 * np.percentile(first, 95)
        assert statistics.median(last) < 1.25 * statistics.median(first)
        assert len(assert_on_disk(studio.voices / "Full", full.saved)) == 500
        assert page.ask("GET", "/voices/Full/session")["progress"]["phrases"] == 500
    finally:
        studio.kill()
