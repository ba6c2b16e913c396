"""Trackio's store holds the runs' true figures, its dashboard is served here, and nothing reaches for the network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from following import settings
from ownvoice import events
from ownvoice.errors import OwnvoiceError
from ownvoice.events import EventLog
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.workflow.dashboard import open_dashboard

READ_BACK = """
import json, sys
from pathlib import Path

calls = []
def listen(event, arguments):
    if event == "socket.getaddrinfo" or event == "socket.connect":
        calls.append(str(arguments))
sys.addaudithook(listen)

from ownvoice.rundir import VoiceFolder
from ownvoice.training.tracking import Tracker
tracker = Tracker(VoiceFolder(Path(sys.argv[1])))
from trackio.sqlite_storage import SQLiteStorage

def read():
    sys.stdin.readline()
    rows = tracker.update()
    runs = {name: SQLiteStorage.get_logs(tracker.project, name) for name in SQLiteStorage.get_runs(tracker.project)}
    config = {name: SQLiteStorage.get_run_config(tracker.project, name) for name in runs}
    content = {"rows": rows, "runs": runs, "config": config, "calls": calls, "torch": "torch" in sys.modules}
    print(json.dumps(content, default=str), flush=True)
for _ in range(3):
    read()
"""


def write_steps(run: RunFolder, first: int, last: int) -> None:
    log = EventLog(run.events)
    for step in range(first, last + 1):
        log.emit(events.Step(step, step / 5, 9 / step, 1e-3 / step, 0.5, 0.1, 20.0 + step, 10**9, 3.0))
        if step % 5 == 0:
            log.emit(events.Eval(step, 1 / step, 0.5 / step, 2.0, True))


def expected(run: RunFolder) -> list[dict[str, float]]:
    rows = []
    for event in events.read_events(run.events):
        match event:
            case events.Step():
                figures = {name: getattr(event, name) for name in ("loss", "learning_rate", "clips_per_second")}
                rows.append({"step": event.step, **figures, "memory_gb": event.memory / 1e9})
            case events.Eval():
                figures = {name: getattr(event, name) for name in ("dev_wer", "dev_cer", "dev_loss")}
                rows.append({"step": event.step, **figures})
    return rows


def stored(content: dict[str, dict[str, list[dict[str, float]]]], run: RunFolder) -> list[dict[str, float]]:
    return [
        {name: value for name, value in row.items() if name not in ("timestamp", "grad_norm")}
        for row in content["runs"][run.path.name]
    ]


def test_store_holds_what_the_events_say_and_nothing_is_sent(voice: VoiceFolder) -> None:
    first, second = voice.new_run(), voice.new_run()
    for run in (first, second):
        settings(Path("tiny"), seed=3).save(run.config)
    write_steps(first, 1, 12)
    environment = os.environ | {"TRACKIO_SPACE_ID": "me/public", "TRACKIO_SERVER_URL": "http://192.0.2.1"}
    reader = subprocess.Popen(
        [sys.executable, "-c", READ_BACK, str(voice.path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    assert reader.stdin is not None and reader.stdout is not None

    def read() -> dict[str, object]:
        reader.stdin.write("\n")  # type: ignore[union-attr]
        reader.stdin.flush()  # type: ignore[union-attr]
        return json.loads(reader.stdout.readline())  # type: ignore[union-attr, no-any-return]

    content = read()
    assert content["rows"] == 14 and stored(content, first) == expected(first)  # type: ignore[arg-type]
    assert content["config"][first.path.name]["lora.rank"] == 4  # type: ignore[index]

    EventLog(first.events).rewind(10)  # it goes on from a checkpoint, while another begins
    write_steps(first, 11, 15)
    write_steps(second, 1, 3)
    content = read()
    assert stored(content, first) == expected(first) and stored(content, second) == expected(second)  # type: ignore[arg-type]

    content = read()
    assert content["rows"] == 0
    assert content["calls"] == [] and content["torch"] is False
    reader.communicate()
    assert reader.returncode == 0
    assert voice.tracking.stat().st_mode & 0o777 == 0o700


@pytest.mark.slow
def test_dashboard_is_served_to_this_computer_alone(voice: VoiceFolder) -> None:
    run = voice.new_run()
    settings(Path("tiny")).save(run.config)
    write_steps(run, 1, 5)
    url = open_dashboard(voice)
    assert url.startswith("http://127.0.0.1:") and url.endswith("?project=voice-anna")
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert b"trackio" in answer.read().lower()
    assert open_dashboard(voice) == url
    arguments = [sys.executable, "-m", "ownvoice", "track", str(voice.path), "--no-browser"]
    second = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert second.returncode == 1 and f"open already at {url}" in second.stderr


def test_dashboard_of_no_voice(tmp_path: Path) -> None:
    with pytest.raises(OwnvoiceError, match="not a voice folder"):
        open_dashboard(VoiceFolder(tmp_path))
