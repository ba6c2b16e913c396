"""``ownvoice transcribe``: files, folders and standard input to text, JSON and subtitles; and going on after a stop."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ownvoice.cli import cli
from ownvoice.data.audio import write_wav

CLIPS = sorted((Path(__file__).parents[2] / "src/ownvoice/model/tiny/sample_voice/clips").glob("*.ogg"))


def transcribe(*arguments: object, input: bytes | None = None) -> Result:
    return CliRunner().invoke(cli, ["transcribe", "--model", "tiny", *map(str, arguments)], input=input)


@pytest.fixture(scope="module")
def words() -> list[str]:
    """What the built-in model writes of the first clips."""
    done = transcribe("--json", "--language", "en", *CLIPS[:3])
    assert done.exit_code == 0, done.output
    return [row["text"] for row in json.loads(done.stdout)]


def test_text_of_one_file_and_of_several(words: list[str]) -> None:
    assert transcribe(CLIPS[0], "--language", "en").stdout == words[0] + "\n"
    expected = "".join(f"{path}: {text}\n" for path, text in zip(CLIPS[:3], words, strict=True))
    assert transcribe(*CLIPS[:3], "--language", "en").stdout == expected


def test_json_says_what_was_heard_when(words: list[str]) -> None:
    (row,) = json.loads(transcribe(CLIPS[0], "--format", "json", "--language", "en").stdout)
    assert (row["audio"], row["text"], row["language"]) == (str(CLIPS[0]), words[0], "en")
    (segment,) = row["segments"]
    assert segment | {"start": 0.0, "end": row["seconds"], "text": words[0], "silent": False} == segment
    assert segment["speech"] > 0.5


def test_short_windows_are_asked_for(words: list[str]) -> None:
    """The built-in model hears whole windows unless told otherwise; it knows both."""
    short = transcribe(*CLIPS[:3], "--language", "en", "--window", "short", "--json")
    assert short.exit_code == 0 and all(row["text"] for row in json.loads(short.stdout))
    assert transcribe(CLIPS[0], "--language", "en", "--window", "standard").stdout == words[0] + "\n"


def test_standard_input(words: list[str]) -> None:
    assert transcribe("-", "--language", "en", input=CLIPS[0].read_bytes()).stdout == words[0] + "\n"


def test_folder_to_files_for_its_owner_alone(words: list[str], tmp_path: Path) -> None:
    for number, clip in enumerate(CLIPS[:3]):
        target = tmp_path / "in" / str(number % 2) / f"{'abc'[number // 2]}.ogg"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(clip, target)
    (tmp_path / "in" / "notes.txt").write_text("no sound")
    out = tmp_path / "out"
    done = transcribe(tmp_path / "in", "--output", out, "--format", "srt", "--language", "en")
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in out.iterdir()) == ["a-2.srt", "a.srt", "b.srt"]
    assert {words[0], words[1], words[2]} == {
        (out / name).read_text().splitlines()[2] for name in ("a.srt", "b.srt", "a-2.srt")
    }
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in out.iterdir())


def test_no_transcript_takes_the_place_of_another_or_of_a_persons_own_words(tmp_path: Path) -> None:
    names = ("x/memo.ogg", "y/memo.ogg", "memo-2.ogg", "Memo.ogg")
    for name in names:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CLIPS[0], tmp_path / "in" / name)
    done = transcribe(*(tmp_path / "in" / name for name in (*names, names[0])), "--output", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    assert len({path.name.casefold() for path in (tmp_path / "out").iterdir()}) == len(names)
    (tmp_path / "in" / "Memo.txt").write_text("what I meant")
    refused = transcribe(tmp_path / "in", "--output", tmp_path / "in")
    assert refused.exit_code == 2 and "would be overwritten: Memo.txt" in refused.stderr
    assert (tmp_path / "in" / "Memo.txt").read_text() == "what I meant"
    assert sorted(path.name for path in (tmp_path / "in").iterdir()) == ["Memo.ogg", "Memo.txt", "memo-2.ogg", "x", "y"]


def test_a_file_that_cannot_be_read_does_not_stop_the_others(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "broken.wav").write_bytes(b"nothing")
    done = transcribe(tmp_path / "broken.wav", CLIPS[0], "--language", "en")
    assert done.exit_code == 1
    assert "broken.wav: is not an audio file" in done.stderr
    assert done.stdout == f"{CLIPS[0]}: {words[0]}\n"


def test_bad_usage(tmp_path: Path) -> None:
    assert transcribe(tmp_path / "gone.wav").exit_code == 2
    assert "no sound file in this folder" in transcribe(tmp_path).stderr
    assert "Give --output" in transcribe(*CLIPS[:2], "--format", "vtt").stderr
    assert "two-letter" in transcribe(CLIPS[0], "--language", "English").stderr


@pytest.mark.slow
def test_killed_batch_goes_on_where_it_was(tmp_path: Path) -> None:
    """Killed outright after some windows; then the same command hears only the rest, and nothing is lost or doubled."""
    import numpy as np

    from ownvoice.data.audio import load_audio

    pause = np.zeros(8000, np.float32)
    long = tmp_path / "long.wav"
    write_wav(long, np.concatenate([part for clip in CLIPS[:60] for part in (load_audio(clip), pause)]))
    out = tmp_path / "out"
    options = ["--model", "tiny", "--language", "en", "--format", "json", "--output", str(out)]
    command = [sys.executable, "-m", "ownvoice", "transcribe", str(long), *options]
    journal = out / ".unfinished.jsonl"
    process = subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"})
    while not (journal.exists() and journal.read_text().count("\n{") >= 1):
        assert process.poll() is None, "it ended before it was killed"
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (out / "long.json").exists()
    kept = [json.loads(line) for line in journal.read_text().splitlines() if line]
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    kept[0]["segment"]["text"] = "heard before"
    journal.write_text("".join(json.dumps(row) + "\n" for row in kept) + '{"window": "torn')

    assert transcribe(long, "--output", out, "--format", "json", "--language", "en").exit_code == 0
    row = json.loads((out / "long.json").read_text())
    fresh = json.loads(transcribe(long, "--json", "--language", "en").stdout)[0]
    expected = [segment["text"] for segment in fresh["segments"]]
    assert row["segments"][0]["text"] == "heard before", "what the first process heard is not heard again"
    assert [segment["text"] for segment in row["segments"][1:]] == expected[1:]
    assert not journal.exists()
