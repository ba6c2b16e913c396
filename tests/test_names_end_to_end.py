"""From a list of twenty names to "names right" in the report: sentences, recordings, training, evaluation."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ownvoice.data.manifest import read_manifest
from ownvoice.data.split import load_split
from ownvoice.data.utterance import utterance_id
from ownvoice.rundir import VoiceFolder

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
def test_twenty_names_become_a_line_of_the_report(tmp_path: Path) -> None:
    if shutil.which("espeak-ng") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs espeak-ng: apt-get install espeak-ng")
    voice = VoiceFolder(tmp_path / "voice")
    command = [sys.executable, ROOT / "bench" / "names.py", "--epochs", "1", "--voice", voice.path, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    names = json.loads(done.stdout)
    assert len(names) == 20
    assert all(name["said"] >= 1 for name in names)

    run = voice.latest_run()
    assert run is not None
    utterances = read_manifest(voice).utterances
    about = {utterance_id(one): one.extra["about"] for one in utterances}
    split = load_split(run, utterances)
    assert {about[name] for name in split.train} == {about[name] for name in split.test} == set(about.values())
    said = sum(name["said"] for name in names)
    before, now = (sum(name[key] for name in names) for key in ("base_right", "tuned_right"))
    page = " ".join(run.evaluation_html.read_text(encoding="utf-8").split())
    assert f"Names right: {before} of {said} before, {now} of {said} now." in page
