"""``ownvoice dictate`` with the real arecord, on a sound card that plays a recording to it instead of a microphone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from live_server import CLIPS
from ownvoice.data.audio import load_audio
from ownvoice.model.load import load_recogniser
from ownvoice.model.recording import transcribe_long

COMMAND = [sys.executable, "-m", "ownvoice", "dictate", "--model", "tiny", "--language", "en"]


def dictate(environment: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *options]
    return subprocess.run(command, env=environment, input="", capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.slow
def test_hands_free_writes_each_phrase_on_a_line(card: dict[str, str]) -> None:
    done = dictate(card, "--hands-free", "--pause", "1")
    assert done.returncode == 0, done.stderr
    tiny = load_recogniser("tiny")
    alone = [transcribe_long(tiny, load_audio(clip), "en").text for clip in CLIPS[:2]]
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    for line, words in zip(lines, alone, strict=True):
        assert set(line.split()) & set(words.split()), "the same phrase, cut a little otherwise"


@pytest.mark.slow
def test_push_to_talk_waits_through_pauses(card: dict[str, str]) -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen(COMMAND, env=card, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdin and process.stdout and process.stderr
        assert "Press Enter" in process.stderr.readline()
        process.stdin.write("\n")
        process.stdin.flush()
        text = process.stdout.readline()
        process.stdin.close()
        assert process.wait(60) == 0
    tiny = load_recogniser("tiny")
    for clip in CLIPS[:2]:
        assert set(text.split()) & set(transcribe_long(tiny, load_audio(clip), "en").text.split())


def test_without_a_recorder_it_says_what_to_install(tmp_path: Path) -> None:
    done = dictate(os.environ | {"PATH": str(tmp_path)}, "--hands-free")
    assert done.returncode == 2
    assert "no program here that records" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_clipboard_it_says_so_before_anything_is_loaded(tmp_path: Path) -> None:
    done = dictate(os.environ | {"PATH": str(tmp_path)}, "--clipboard")
    assert done.returncode == 2
    assert "clipboard" in done.stderr
