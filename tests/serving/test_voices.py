"""Voices over one base: each is heard in the windows its own run found no worse."""

from __future__ import annotations

import shutil
from pathlib import Path

from ownvoice import events
from ownvoice.rundir import RunFolder
from ownvoice.serving.voices import load_voices


def test_each_voice_is_heard_in_its_own_windows(three_voices: dict[str, Path], tmp_path: Path) -> None:
    short = RunFolder(tmp_path / "ana" / "runs" / "first")
    shutil.copytree(three_voices["ana"], short.path)
    events.EventLog(short.events).emit(events.Eval(5, 0.2, 0.1, 0.5, best=True, short_wer=0.2))
    voices = load_voices([str(short.path), str(three_voices["ben"]), "tiny"])
    heard = []
    for name in ("ana", "ben", "ana", "tiny"):
        with voices[name].speaking() as recogniser:
            heard.append(recogniser.short_windows)
    assert heard == [True, False, True, False]
